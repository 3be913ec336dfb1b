#include <cortex_m/registers.hpp>
#include <lm3s6965evb/system_control.hpp>

#include <memory_map.hpp>

namespace lm3s6965 {
namespace {

constexpr std::uintptr_t kRawInterrupts = kSystemControl + 0x050;
constexpr std::uintptr_t kRunClock = kSystemControl + 0x060;
constexpr std::uintptr_t kGate0 = kSystemControl + 0x100;
constexpr std::uintptr_t kGate1 = kSystemControl + 0x104;
constexpr std::uintptr_t kGate2 = kSystemControl + 0x108;

// Fields of the run-mode clock configuration.
constexpr std::uint32_t kDividerShift = 23;
constexpr std::uint32_t kDividerMask = 0xfU << kDividerShift;
constexpr std::uint32_t kUseDivider = 1U << 22U;
constexpr std::uint32_t kLoopPowerDown = 1U << 13U;
constexpr std::uint32_t kLoopBypass = 1U << 11U;
constexpr std::uint32_t kCrystalMask = 0xfU << 6U;
constexpr std::uint32_t kCrystal8Mhz = 0xeU << 6U;
constexpr std::uint32_t kSourceMask = 0x3U << 4U;  // 0: the main oscillator
constexpr std::uint32_t kMainOscillatorOff = 1U << 0U;
constexpr std::uint32_t kLoopMhz = 200;
constexpr std::uint32_t kCrystalMhz = 8;

constexpr std::uint32_t kLoopLocked = 1U << 6U;
constexpr std::uint32_t kPollsMax = 100'000;  // the data sheet allows half a millisecond, which is some thousand

constexpr std::uint32_t kWatchdogGate = 1U << 3U;
constexpr std::uint32_t kUartSsiTimersGates = 1U << 0U | 1U << 4U | 1U << 16U | 1U << 17U;
constexpr std::uint32_t kPortsEthernetGates = 1U << 0U | 1U << 3U | 1U << 28U | 1U << 30U;  // A and D; the MAC and the PHY

// Of a port: a byte of it at kPins + 4 * mask changes the pins of the mask alone.
constexpr std::uintptr_t kPins = 0x000;
constexpr std::uintptr_t kOutputs = 0x400;
constexpr std::uintptr_t kDevicePins = 0x420;
constexpr std::uintptr_t kDigital = 0x51c;

bool loop_locks() {
    for (std::uint32_t poll = 0; poll < kPollsMax; ++poll) {
        if ((board::reg(kRawInterrupts) & kLoopLocked) != 0) return true;
    }
    return false;
}

void set_bits(std::uintptr_t address, std::uint32_t bits) { board::reg(address) = board::reg(address) | bits; }

}  // namespace

std::uint32_t start_system() {
    set_bits(kGate0, kWatchdogGate);
    set_bits(kGate1, kUartSsiTimersGates);
    set_bits(kGate2, kPortsEthernetGates);
    set_bits(kGate2, 0);  // a device answers some cycles after its gate has opened

    // In the order of the data sheet: onto an oscillator, the loop's source and power, its divider, and back onto the loop.
    std::uint32_t clock = (board::reg(kRunClock) | kLoopBypass) & ~kUseDivider;
    board::reg(kRunClock) = clock;
    clock = (clock & ~(kCrystalMask | kSourceMask | kMainOscillatorOff | kLoopPowerDown)) | kCrystal8Mhz;
    board::reg(kRunClock) = clock;
    clock = (clock & ~kDividerMask) | kUseDivider | (kLoopMhz / kClockMhz - 1) << kDividerShift;
    board::reg(kRunClock) = clock;
    if (!loop_locks()) {
        board::reg(kRunClock) = clock & ~kUseDivider;
        return kCrystalMhz;
    }
    board::reg(kRunClock) = clock & ~kLoopBypass;
    return kClockMhz;
}

void give_pins_to_device(std::uintptr_t port, std::uint32_t pins) {
    set_bits(port + kDevicePins, pins);
    set_bits(port + kDigital, pins);
}

void drive_pins_high(std::uintptr_t port, std::uint32_t pins) {
    set_bits(port + kOutputs, pins);
    set_pins(port, pins, true);
    set_bits(port + kDigital, pins);
}

void set_pins(std::uintptr_t port, std::uint32_t pins, bool high) { board::reg(port + kPins + 4 * pins) = high ? pins : 0; }

}  // namespace lm3s6965
