// The clock and the sleep of the node (LM3S6965 data sheet, "General-Purpose Timers", "Watchdog Timer").
#include <cortex_m/elapsed_time.hpp>
#include <cortex_m/hardware.hpp>
#include <cortex_m/registers.hpp>
#include <cortex_m/sleep.hpp>
#include <lm3s6965evb/clock.hpp>
#include <lm3s6965evb/ethernet.hpp>
#include <lm3s6965evb/system_control.hpp>
#include <lm3s6965evb/uart.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

namespace lm3s6965 {
namespace {

// Of a timer, its two halves joined.
constexpr std::uintptr_t kConfiguration = 0x00;
constexpr std::uintptr_t kMode = 0x04;
constexpr std::uintptr_t kControl = 0x0c;
constexpr std::uintptr_t kInterruptMask = 0x18;
constexpr std::uintptr_t kInterruptClear = 0x24;
constexpr std::uintptr_t kLoad = 0x28;
constexpr std::uintptr_t kValue = 0x48;
constexpr std::uint32_t kJoined = 0;
constexpr std::uint32_t kOneShot = 1;
constexpr std::uint32_t kPeriodic = 2;
constexpr std::uint32_t kEnable = 1;
constexpr std::uint32_t kTimeOut = 1;
constexpr std::uint32_t kAlarmInterrupt = 21;  // of timer 1

constexpr std::uintptr_t kWatchdogLoad = kWatchdog + 0x00;
constexpr std::uintptr_t kWatchdogValue = kWatchdog + 0x04;
constexpr std::uintptr_t kWatchdogControl = kWatchdog + 0x08;
constexpr std::uintptr_t kWatchdogRestart = kWatchdog + 0x0c;
constexpr std::uintptr_t kWatchdogInterrupts = kWatchdog + 0x10;
constexpr std::uint32_t kWatchdogCounts = 1;  // bit 1, which lets it reset the part, stays clear

constexpr std::uint32_t kTop = 0xffff'ffff;
constexpr std::uint32_t kPollsMax = 16;

bool watchdog_counts = false;
std::uint32_t watchdog_restarted = 0;  // ticks() at which the watchdog began at its top
board::ElapsedTime elapsed{kClockMhz};

bool timer_counts() {
    const std::uint32_t first = board::reg(kTimer0 + kValue);
    for (std::uint32_t poll = 0; poll < kPollsMax; ++poll) {
        if (board::reg(kTimer0 + kValue) != first) return true;
    }
    return false;
}

void set_timer(std::uintptr_t timer, std::uint32_t mode, std::uint32_t ticks) {
    board::reg(timer + kControl) = 0;
    board::reg(timer + kConfiguration) = kJoined;
    board::reg(timer + kMode) = mode;
    board::reg(timer + kLoad) = ticks;
    board::reg(timer + kControl) = kEnable;
}

void stop_timer(std::uintptr_t timer) {
    board::reg(timer + kControl) = 0;
    board::reg(timer + kInterruptClear) = kTimeOut;
}

void set_alarm(std::uint32_t ticks) {
    set_timer(kTimer1, kOneShot, ticks);
    board::reg(kTimer1 + kInterruptMask) = kTimeOut;
}

void stop_alarm() { stop_timer(kTimer1); }

void start_watchdog() {
    board::reg(kWatchdogLoad) = kTop;
    board::reg(kWatchdogControl) = kWatchdogCounts;
}

// It stops when it reaches 0 for the second time, unless it was told to begin at its top again, which is done some ticks after it was read:
// at most that is lost, each time it comes round.
std::uint32_t watchdog_ticks() {
    const std::uint32_t current = watchdog_restarted + (kTop - board::reg(kWatchdogValue));
    if (board::reg(kWatchdogInterrupts) == 0) return current;
    watchdog_restarted += kTop - board::reg(kWatchdogValue);
    board::reg(kWatchdogRestart) = 1;
    return watchdog_restarted;
}

}  // namespace

void start_clock() {
    set_timer(kTimer0, kPeriodic, kTop);
    watchdog_counts = !timer_counts();
    if (!watchdog_counts) return;
    stop_timer(kTimer0);
    start_watchdog();
}

std::uint32_t ticks() {
    const board::InterruptsHeld held;
    return watchdog_counts ? watchdog_ticks() : kTop - board::reg(kTimer0 + kValue);
}

}  // namespace lm3s6965

namespace dunlin_lwip::port {

dunlin::Instant now() {
    const board::InterruptsHeld held;
    return dunlin::Instant{dunlin::microseconds{lm3s6965::elapsed.at(lm3s6965::ticks())}};
}

void sleep_until(dunlin::Instant wake, const std::atomic<bool>* asked) {
    using namespace lm3s6965;
    board::sleep_until(wake, asked, {.interrupt = kAlarmInterrupt, .ticks_a_microsecond = kClockMhz, .set = set_alarm, .stop = stop_alarm},
                       {.interrupt = kFrameInterrupt, .forget = clear_frame_interrupt, .waits = holds_frame});
}

}  // namespace dunlin_lwip::port

namespace board {

void start_hardware() {
    const std::uint32_t clock_mhz = lm3s6965::start_system();
    lm3s6965::start_uart(clock_mhz);
    DUNLIN_ASSERT(clock_mhz == lm3s6965::kClockMhz);  // or time would pass at a wrong rate
    lm3s6965::start_clock();
}

}  // namespace board
