#pragma once

#include <cstdint>

namespace board {

// Microseconds of a 32-bit counter that begins anew: extended to 64 bits by whoever asks often enough, without a division of 64 bits.
class ElapsedTime {
  public:
    explicit constexpr ElapsedTime(std::uint32_t ticks_a_microsecond) : ticks_a_microsecond_(ticks_a_microsecond) {}

    // `ticks`: of the counter, upwards, modulo 2^32; fewer than 2^32 more than at the call before. Microseconds since it stood at 0.
    constexpr std::int64_t at(std::uint32_t ticks) {
        const std::uint32_t since = ticks - ticks_;
        ticks_ = ticks;
        us_ += since / ticks_a_microsecond_;
        left_over_ += since % ticks_a_microsecond_;
        if (left_over_ >= ticks_a_microsecond_) {
            left_over_ -= ticks_a_microsecond_;
            ++us_;
        }
        return us_;
    }

  private:
    std::uint32_t ticks_a_microsecond_;
    std::uint32_t ticks_ = 0;      // at the last call
    std::uint32_t left_over_ = 0;  // of them, not yet a microsecond
    std::int64_t us_ = 0;
};

}  // namespace board
