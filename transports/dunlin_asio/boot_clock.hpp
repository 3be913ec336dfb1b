#pragma once

#include <dunlin/core/time.hpp>

namespace dunlin_asio {

// CLOCK_BOOTTIME in microseconds: never goes back, counts sleep and suspend, is the same clock in every process of the
// machine. Its rate is slewed by NTP, which Options::clock_rate_bound_ppm allows for. Some 30 ns (vDSO).
[[nodiscard]] dunlin::Instant boot_now();

}  // namespace dunlin_asio
