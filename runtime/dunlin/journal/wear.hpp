#pragma once

#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/high_water.hpp>

#include <algorithm>
#include <cstdint>

namespace dunlin::journal {

// How long flash lasts under a journal; for static_assert. At worst: every mark is drawn as early as it can be (high_water.hpp). A block
// is erased once each time its bank is taken anew, which is at every second checkpoint.
struct Wear {
    std::uint64_t flash_bytes = 0;     // of both banks
    std::uint32_t erase_bytes = 0;     // of a block
    std::uint32_t cycles = 0;          // erases that a block is good for, as its data sheet says
    std::uint32_t buffer_bytes = 512;  // of the journal
    std::uint32_t live_bytes = 0;      // records of a checkpoint: at most checkpoint_bytes_max<Limits>()
    std::uint64_t bytes_a_day = 0;     // appended: record_bytes(payload, program_bytes) of each record
    std::uint32_t starts_a_day = 1;    // each begins with a checkpoint

    // 0: the live state leaves no room, and the journal would fail.
    [[nodiscard]] constexpr std::uint64_t checkpoints_a_day() const {
        const std::uint32_t bank = bank_bytes_of(flash_bytes, erase_bytes);
        if (bank == 0 || live_bytes + buffer_bytes > bank - kHeaderSectorBytes) return 0;
        const std::uint32_t room = bank - kHeaderSectorBytes;
        const std::uint32_t live_end = kHeaderSectorBytes + live_bytes;
        const std::uint32_t mark = high_water(bank, room, buffer_bytes);
        const std::uint32_t at_least = mark - high_water_spread(mark, live_end);
        const std::uint32_t won = std::max({at_least - std::min(at_least, live_end), least_won(room), std::uint32_t{1}});
        return (bytes_a_day + won - 1) / won + starts_a_day;
    }
    // Of the block that is erased most.
    [[nodiscard]] constexpr std::uint64_t erases_a_day() const { return (checkpoints_a_day() + 1) / 2; }
    [[nodiscard]] constexpr std::uint64_t days() const {
        const std::uint64_t checkpoints = checkpoints_a_day();
        return checkpoints == 0 ? 0 : std::uint64_t{cycles} * 2 / checkpoints;
    }
    [[nodiscard]] constexpr std::uint64_t years() const { return days() / 365; }
};

}  // namespace dunlin::journal
