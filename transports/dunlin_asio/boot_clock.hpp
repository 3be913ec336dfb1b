#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin_asio {

// CLOCK_BOOTTIME in microseconds: never goes back, counts sleep and suspend, is the same clock in every process of the
// machine. Its rate is slewed by NTP, which Options::clock_rate_bound_ppm allows for. Some 30 ns (vDSO).
[[nodiscard]] dunlin::Instant boot_now();

// Counts the kernel's ticks, 1 to 10 ms apart: where it is not what it was, a reading of boot_now() from then is old. Stands still
// in suspend, after which the next tick comes as soon. CLOCK_MONOTONIC_COARSE, some 5 ns.
[[nodiscard]] std::uint64_t clock_tick();

}  // namespace dunlin_asio
