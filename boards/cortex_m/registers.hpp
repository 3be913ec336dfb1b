#pragma once

#include <cstdint>

// Memory-mapped registers.
namespace board {

[[nodiscard]] inline volatile std::uint32_t& reg(std::uintptr_t address) { return *reinterpret_cast<volatile std::uint32_t*>(address); }

// The system control block (Armv7-M Architecture Reference Manual, §B3.2.2).
inline constexpr std::uintptr_t kVtor = 0xe000ed08;   // where the vector table is
inline constexpr std::uintptr_t kAircr = 0xe000ed0c;  // application interrupt and reset control
inline constexpr std::uintptr_t kShcsr = 0xe000ed24;  // which faults have handlers of their own
inline constexpr std::uintptr_t kCfsr = 0xe000ed28;   // why a fault came
inline constexpr std::uintptr_t kHfsr = 0xe000ed2c;   // why it became a hard fault
inline constexpr std::uintptr_t kMmfar = 0xe000ed34;  // what address, if CFSR says that it is valid
inline constexpr std::uintptr_t kBfar = 0xe000ed38;

// The interrupt controller (§B3.4), of registers with 32 interrupts each.
inline constexpr std::uintptr_t kNvicEnable = 0xe000e100;
inline constexpr std::uintptr_t kNvicDisable = 0xe000e180;
inline constexpr std::uintptr_t kNvicForget = 0xe000e280;  // that it is pending

}  // namespace board
