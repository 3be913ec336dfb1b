#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin {

// xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix64: 32-bit arithmetic only, so it is cheap on a
// Cortex-M, and the same on every compiler. Not for secrets. Never draw twice in one expression.
class Random {
  public:
    explicit Random(std::uint64_t seed);
    [[nodiscard]] std::uint32_t next_u32();
    [[nodiscard]] std::uint64_t next_u64();          // first draw is the high half
    [[nodiscard]] std::uint64_t next_nonzero_u64();  // for ids, where zero means none
    // Uniform in [0, bound), without bias; bound > 0. Expected draws: below 2.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
    // Uniform in [low, high], both included; low <= high, and high - low fits a Duration.
    [[nodiscard]] Duration between(Duration low, Duration high);

  private:
    std::uint32_t state_[4];
};

}  // namespace dunlin
