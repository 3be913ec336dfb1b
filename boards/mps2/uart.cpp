// The console: CMSDK APB UART 0 (Arm DDI 0479, §4.3).
#include <cortex_m/hardware.hpp>
#include <mps2/clock.hpp>
#include <mps2/uart.hpp>

#include <cortex_m/registers.hpp>

#include <cstdint>

namespace mps2 {
namespace {

constexpr std::uintptr_t kData = 0x40004000;
constexpr std::uintptr_t kState = 0x40004004;
constexpr std::uintptr_t kControl = 0x40004008;
constexpr std::uintptr_t kBaudDivider = 0x40004010;
constexpr std::uint32_t kTransmitFull = 1;
constexpr std::uint32_t kTransmitEnable = 1;
constexpr std::uint32_t kBaud = 115'200;
constexpr std::uint32_t kBitsPerLetter = 10;

}  // namespace

void start_uart() {
    board::reg(kBaudDivider) = kTicksPerSecond / kBaud;
    board::reg(kControl) = kTransmitEnable;
}

}  // namespace mps2

namespace board {

void write_console(char letter) {
    while ((reg(mps2::kState) & mps2::kTransmitFull) != 0) {}
    reg(mps2::kData) = static_cast<std::uint8_t>(letter);
}

// The buffer is one letter deep, and the one before it may still be on its way.
void drain_console() {
    while ((reg(mps2::kState) & mps2::kTransmitFull) != 0) {}
    const std::uint32_t begun = mps2::ticks();
    while (mps2::ticks() - begun < mps2::kTicksPerSecond / mps2::kBaud * mps2::kBitsPerLetter) {}
}

}  // namespace board
