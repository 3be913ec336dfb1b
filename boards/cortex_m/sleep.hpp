#pragma once

#include <cortex_m/interrupts.hpp>

#include <dunlin_lwip/port.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

// port::sleep_until() of a Cortex-M, once a board has a timer that asks for an interrupt and a controller that asks for one with each frame.
namespace board {

// A timer at the rate of the clock's counter.
struct Alarm {
    std::uint32_t interrupt = 0;
    std::uint32_t ticks_a_microsecond = 0;
    void (*set)(std::uint32_t ticks) = nullptr;  // asks for its interrupt once, so many ticks from now
    void (*stop)() = nullptr;                    // and does not any more
};

struct FrameInterrupt {
    std::uint32_t interrupt = 0;
    void (*forget)() = nullptr;  // the frames that have asked for it so far
    bool (*waits)() = nullptr;   // whether one of them is still to be read
};

// At most for half of what a counter of 32 bits counts before it begins anew, so that no round of it goes unseen.
inline void sleep_until(dunlin::Instant wake, const std::atomic<bool>* asked, const Alarm& alarm, const FrameInterrupt& frame) {
    const InterruptsHeld held;
    frame.forget();
    const dunlin::Instant now = dunlin_lwip::port::now();
    if (wake <= now || frame.waits() || (asked != nullptr && asked->load(std::memory_order_relaxed))) return;
    const dunlin::Duration longest = dunlin::microseconds{0x8000'0000U / alarm.ticks_a_microsecond};
    alarm.set(static_cast<std::uint32_t>(dunlin::to_us(std::min(wake - now, longest))) * alarm.ticks_a_microsecond);
    enable_interrupt(alarm.interrupt);
    enable_interrupt(frame.interrupt);
    wait_for_interrupt();
    alarm.stop();
    disable_interrupt(alarm.interrupt);
    disable_interrupt(frame.interrupt);
}

}  // namespace board
