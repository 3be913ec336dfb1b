#pragma once

#include <dunlin/core/limits.hpp>
#include <dunlin/journal/journal.hpp>

#include <array>
#include <cstddef>

namespace dunlin::journal {

// The journal's share of NodeMemory: its one buffer.
template <Limits L>
struct JournalArrays {
    alignas(8) std::array<std::byte, L.journal_buffer_bytes> buffer{};

    [[nodiscard]] JournalStorage storage() { return {.buffer = buffer}; }
};

}  // namespace dunlin::journal
