#pragma once

#include <cstdint>

// The part's system control (LM3S6965 data sheet, "System Control"): its clock, which of its devices are clocked, and what its pins do.
namespace lm3s6965 {

// From the internal oscillator that the part starts on to kClockMhz from the board's 8 MHz crystal, and clocks to every device that drivers
// of this folder use. Called once, before any of them. The clock's MHz: where it does not lock, the part goes on with a slower one.
[[nodiscard]] std::uint32_t start_system();

// Pins of a port (kGpioA or kGpioD), each a bit of `pins`: to the device that shares them with the port, or driven high as outputs.
void give_pins_to_device(std::uintptr_t port, std::uint32_t pins);
void drive_pins_high(std::uintptr_t port, std::uint32_t pins);
void set_pins(std::uintptr_t port, std::uint32_t pins, bool high);

}  // namespace lm3s6965
