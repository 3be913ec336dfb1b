// The clock and the sleep of the node (Arm DDI 0479, §4.1: CMSDK APB timer).
#include <cortex_m/elapsed_time.hpp>
#include <cortex_m/hardware.hpp>
#include <cortex_m/interrupts.hpp>
#include <cortex_m/registers.hpp>
#include <mps2/clock.hpp>
#include <mps2/lan9118.hpp>
#include <mps2/uart.hpp>

#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

#include <algorithm>

namespace mps2 {
namespace {

constexpr std::uintptr_t kClock = 0x40000000;  // timer 0
constexpr std::uintptr_t kAlarm = 0x40001000;  // timer 1
constexpr std::uint32_t kAlarmInterrupt = 9;
constexpr std::uintptr_t kControl = 0x0;
constexpr std::uintptr_t kValue = 0x4;
constexpr std::uintptr_t kReload = 0x8;
constexpr std::uintptr_t kInterrupt = 0xc;
constexpr std::uint32_t kEnable = 1;
constexpr std::uint32_t kInterruptEnable = 8;
constexpr std::uint32_t kTicksPerMicrosecond = kTicksPerSecond / 1'000'000;

// Half of what timer 0 counts before it begins anew: a sleep is never longer.
constexpr std::uint32_t kSleepMax_us = 0x8000'0000U / kTicksPerMicrosecond;

board::ElapsedTime elapsed{kTicksPerMicrosecond};

// Timer 1 asks for an interrupt once, `us` from now.
void set_alarm(std::uint32_t us) {
    board::reg(kAlarm + kControl) = 0;
    board::reg(kAlarm + kInterrupt) = 1;
    board::reg(kAlarm + kReload) = 0;  // and stops
    board::reg(kAlarm + kValue) = us * kTicksPerMicrosecond;
    board::reg(kAlarm + kControl) = kEnable | kInterruptEnable;
}

void stop_alarm() {
    board::reg(kAlarm + kControl) = 0;
    board::reg(kAlarm + kInterrupt) = 1;
}

}  // namespace

void start_clock() {
    board::reg(kClock + kControl) = 0;
    board::reg(kClock + kReload) = 0xffff'ffff;
    board::reg(kClock + kValue) = 0xffff'ffff;
    board::reg(kClock + kControl) = kEnable;
}

std::uint32_t ticks() { return ~board::reg(kClock + kValue); }  // it counts down

}  // namespace mps2

namespace dunlin_lwip::port {

dunlin::Instant now() {
    const board::InterruptsHeld held;
    return dunlin::Instant{dunlin::microseconds{mps2::elapsed.at(mps2::ticks())}};
}

void sleep_until(dunlin::Instant wake, const std::atomic<bool>* asked) {
    const board::InterruptsHeld held;
    mps2::clear_frame_interrupt();
    const dunlin::Instant current = now();
    if (wake <= current || frame_waiting() != 0 || (asked != nullptr && asked->load(std::memory_order_relaxed))) return;
    const dunlin::Duration left = std::min(wake - current, dunlin::Duration{mps2::kSleepMax_us});
    mps2::set_alarm(static_cast<std::uint32_t>(dunlin::to_us(left)));
    board::enable_interrupt(mps2::kAlarmInterrupt);
    board::enable_interrupt(mps2::kFrameInterrupt);
    board::wait_for_interrupt();
    mps2::stop_alarm();
    board::disable_interrupt(mps2::kAlarmInterrupt);
    board::disable_interrupt(mps2::kFrameInterrupt);
}

}  // namespace dunlin_lwip::port

namespace board {

void start_hardware() {
    mps2::start_clock();
    mps2::start_uart();
}

}  // namespace board
