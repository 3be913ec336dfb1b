#pragma once

#include <cstdint>

// The clock: a counter of 32 bits at kClockMhz, without a periodic interrupt; what reads it at least once in 80 s (port::sleep_until() sees
// to it while the node sleeps) extends it.
//
// The counter is general-purpose timer 0. QEMU's timers cannot be read: where timer 0 stands still, the watchdog counts instead, at the same
// rate, and never resets the part. On a real part the watchdog is left to the application. Timer 0 as the counter is untried.
namespace lm3s6965 {

// The system must have been started (system_control.hpp).
void start_clock();
// Of the counter, upwards, modulo 2^32.
[[nodiscard]] std::uint32_t ticks();

}  // namespace lm3s6965
