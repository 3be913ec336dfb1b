// The console: UART 0, an Arm PL011 (LM3S6965 data sheet, "Universal Asynchronous Receivers/Transmitters").
#include <cortex_m/hardware.hpp>
#include <cortex_m/registers.hpp>
#include <lm3s6965evb/system_control.hpp>
#include <lm3s6965evb/uart.hpp>

#include <memory_map.hpp>

namespace lm3s6965 {
namespace {

constexpr std::uintptr_t kData = kUart + 0x00;
constexpr std::uintptr_t kFlags = kUart + 0x18;
constexpr std::uintptr_t kWholeDivisor = kUart + 0x24;
constexpr std::uintptr_t kDivisorFraction = kUart + 0x28;
constexpr std::uintptr_t kLine = kUart + 0x2c;
constexpr std::uintptr_t kControl = kUart + 0x30;

constexpr std::uint32_t kTransmitFull = 1U << 5U;
constexpr std::uint32_t kBusy = 1U << 3U;
constexpr std::uint32_t kEightBitsFifo = 0x3U << 5U | 1U << 4U;
constexpr std::uint32_t kEnableTransmit = 1U << 8U | 1U << 0U;
constexpr std::uint32_t kTransmitPin = 1U << 1U;  // of port A

// At 115,200 baud and 16 clocks a bit 18 MHz are divided by 625 parts of 64.
constexpr std::uint32_t kDivisorParts = 625;
constexpr std::uint32_t kDivisorMhz = 18;

}  // namespace

void start_uart(std::uint32_t clock_mhz) {
    const std::uint32_t divisor = clock_mhz * kDivisorParts / kDivisorMhz;
    give_pins_to_device(kGpioA, kTransmitPin);
    board::reg(kControl) = 0;
    board::reg(kWholeDivisor) = divisor / 64;
    board::reg(kDivisorFraction) = divisor % 64;
    board::reg(kLine) = kEightBitsFifo;  // takes over the divisor too
    board::reg(kControl) = kEnableTransmit;
}

}  // namespace lm3s6965

namespace board {

void write_console(char letter) {
    while ((reg(lm3s6965::kFlags) & lm3s6965::kTransmitFull) != 0) {}
    reg(lm3s6965::kData) = static_cast<std::uint8_t>(letter);
}

void drain_console() {
    while ((reg(lm3s6965::kFlags) & lm3s6965::kBusy) != 0) {}
}

}  // namespace board
