#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin {

struct Division {
    std::uint64_t quotient = 0;
    std::uint64_t remainder = 0;
};

// 64-bit division by `divisor`, which is not 0. A Cortex-M has no instruction for it, and the library's routine takes 800
// bytes of flash; there this takes a tenth of that, and some 800 cycles. Nothing divides that often.
[[nodiscard]] Division divide(std::uint64_t dividend, std::uint64_t divisor);

// A time that is not negative in whole milliseconds, rounded down; and rounded up.
[[nodiscard]] inline std::uint64_t whole_ms(Duration time) { return divide(static_cast<std::uint64_t>(to_us(time)), 1000).quotient; }
[[nodiscard]] inline std::uint64_t whole_ms_up(Duration time) { return whole_ms(time + microseconds{999}); }

}  // namespace dunlin
