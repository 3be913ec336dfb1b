#pragma once

#include <cstddef>
#include <cstdint>

// What an image may use of the Stellaris LM3S6965 evaluation board.
namespace board {

// The linker script says the same of these three (memory.ld). Above the image's flash lies the journal's.
inline constexpr std::size_t kFlashBytes = 192 * 1024;
inline constexpr std::size_t kRamBytes = 64 * 1024;
inline constexpr std::size_t kStackBytes = 9 * 1024;

}  // namespace board

// Where the LM3S6965 has what (its data sheet, "Memory Map" and "Interrupts"), and how fast it runs here.
namespace lm3s6965 {

inline constexpr std::uintptr_t kJournalFlash = board::kFlashBytes;
inline constexpr std::size_t kJournalFlashBytes = 64 * 1024;

inline constexpr std::uintptr_t kWatchdog = 0x40000000;
inline constexpr std::uintptr_t kGpioA = 0x40004000;
inline constexpr std::uintptr_t kGpioD = 0x40007000;
inline constexpr std::uintptr_t kSsi = 0x40008000;
inline constexpr std::uintptr_t kUart = 0x4000c000;
inline constexpr std::uintptr_t kTimer0 = 0x40030000;    // interrupt 19
inline constexpr std::uintptr_t kTimer1 = 0x40031000;    // interrupt 21
inline constexpr std::uintptr_t kEthernet = 0x40048000;  // interrupt 42
inline constexpr std::uintptr_t kFlashControl = 0x400fd000;
inline constexpr std::uintptr_t kSystemControl = 0x400fe000;

// Core and peripherals: the 200 MHz of the phase-locked loop by four, the most that the part can do. QEMU reckons the same.
inline constexpr std::uint32_t kClockMhz = 50;

}  // namespace lm3s6965
