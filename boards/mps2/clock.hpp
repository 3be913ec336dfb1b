#pragma once

#include <cstdint>

// The clock: CMSDK timer 0 counts the 25 MHz of the peripherals through 32 bits, without an interrupt; what reads it at least once in
// 171 s (port::sleep_until() sees to it while the node sleeps) extends it.
namespace mps2 {

inline constexpr std::uint32_t kTicksPerSecond = 25'000'000;

void start_clock();
// Of timer 0, upwards, modulo 2^32.
[[nodiscard]] std::uint32_t ticks();

}  // namespace mps2
