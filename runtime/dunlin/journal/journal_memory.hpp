#pragma once

#include <dunlin/core/limits.hpp>
#include <dunlin/journal/journal.hpp>

#include <array>
#include <cstddef>

namespace dunlin::journal {

// The journal's share of NodeMemory: its one buffer.
template <Limits L>
struct JournalArrays {
    static_assert(L.journal_buffer_bytes == 0 || (L.journal_buffer_bytes >= kBufferBytesMin && L.journal_buffer_bytes <= kBufferBytesMax),
                  "journal_buffer_bytes must be 0 (no journal) or 512 bytes to 1 MiB");
    static_assert(L.journal_buffer_bytes % kRecordAlign == 0, "journal_buffer_bytes must be a multiple of 8");
    alignas(8) std::array<std::byte, L.journal_buffer_bytes> buffer{};

    [[nodiscard]] JournalStorage storage() { return {.buffer = buffer}; }
};

}  // namespace dunlin::journal
