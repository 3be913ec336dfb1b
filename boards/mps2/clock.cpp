// The clock and the sleep of the node (Arm DDI 0479, §4.1: CMSDK APB timer).
#include <cortex_m/elapsed_time.hpp>
#include <cortex_m/hardware.hpp>
#include <cortex_m/registers.hpp>
#include <cortex_m/sleep.hpp>
#include <mps2/clock.hpp>
#include <mps2/lan9118.hpp>
#include <mps2/uart.hpp>

#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

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

board::ElapsedTime elapsed{kTicksPerMicrosecond};

void stop_alarm() {
    board::reg(kAlarm + kControl) = 0;
    board::reg(kAlarm + kInterrupt) = 1;
}

void set_alarm(std::uint32_t ticks) {
    stop_alarm();
    board::reg(kAlarm + kReload) = 0;  // and stops
    board::reg(kAlarm + kValue) = ticks;
    board::reg(kAlarm + kControl) = kEnable | kInterruptEnable;
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
    using namespace mps2;
    board::sleep_until(wake, asked,
                       {.interrupt = kAlarmInterrupt, .ticks_a_microsecond = kTicksPerMicrosecond, .set = set_alarm, .stop = stop_alarm},
                       {.interrupt = kFrameInterrupt, .forget = clear_frame_interrupt, .waits = [] { return frame_waiting() != 0; }});
}

}  // namespace dunlin_lwip::port

namespace board {

void start_hardware() {
    mps2::start_clock();
    mps2::start_uart();
}

}  // namespace board
