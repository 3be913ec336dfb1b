#pragma once

#include <algorithm>
#include <cstdint>

// When a bank of the journal is full enough to be written anew into the other one. All in bytes.
namespace dunlin::journal {

// The end of what may be used: three quarters of the room for records, or less where the buffer is large, since it may come on top.
// `bank_bytes` with the header's sector, `room` without.
[[nodiscard]] constexpr std::uint32_t high_water(std::uint32_t bank_bytes, std::uint32_t room, std::uint32_t buffer_bytes) {
    return bank_bytes - std::max(room / 4, std::min(2 * buffer_bytes, room / 2));
}

// Each bank of each node draws its mark up to so much below that.
[[nodiscard]] constexpr std::uint32_t high_water_spread(std::uint32_t mark, std::uint32_t live_end) {
    return (mark - std::min(mark, live_end)) / 4;
}

// Appended since the last checkpoint there are at least so many: else it would come at every append where the live state alone nears
// the mark.
[[nodiscard]] constexpr std::uint32_t least_won(std::uint32_t room) { return room / 8; }

}  // namespace dunlin::journal
