#pragma once

#include <dunlin/consensus/entry.hpp>
#include <dunlin/core/bytes.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace dunlin::consensus {

// Journal payloads of this folder: fixed widths, little-endian, no hidden padding; written and read by memcpy.
static_assert(std::endian::native == std::endian::little);

// RecordKind::hard_state. The last one counts.
struct HardStateRecord {
    std::uint64_t term = 0;
    std::uint16_t voted_for = 0;  // NodeId; 0: nobody in this term
    std::uint16_t reserved0 = 0;
    std::uint32_t reserved1 = 0;
};
static_assert(sizeof(HardStateRecord) == 16);

// RecordKind::log_entry, followed by the entry's payload. A record at or below the last index truncates: it and all
// that follow are replaced. `commit` is what was known to be committed when this was written, so that recovery may
// apply, and let go of, entries that no longer fit the log ring.
struct LogEntryRecord {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    std::uint64_t time = 0;  // ClusterTime
    std::uint64_t commit = 0;
    std::uint8_t type = 0;  // EntryType
    std::uint8_t reserved0 = 0;
    std::uint16_t reserved1 = 0;
    std::uint32_t reserved2 = 0;
};
static_assert(sizeof(LogEntryRecord) == 40);

// What `init` journals: hard state of term 1 and, as entry 1 of term 1, the bootstrap entry (its payload follows).
[[nodiscard]] constexpr HardStateRecord bootstrap_hard_state() { return {.term = 1}; }
[[nodiscard]] constexpr LogEntryRecord bootstrap_log_entry() {
    return {.index = 1, .term = 1, .type = static_cast<std::uint8_t>(EntryType::bootstrap)};
}

}  // namespace dunlin::consensus
