#pragma once

#include <cortex_m/registers.hpp>

#include <cstdint>

// Interrupts that only wake the core. A board's drivers have no handlers: an interrupt that may end a sleep is enabled while PRIMASK holds
// it back, WFI returns because it is pending, and it is disabled again before PRIMASK is cleared. So nothing is shared between an interrupt
// and the program, and an event between the last look and WFI is not slept through.
namespace board {

// Nothing interrupts while this lives, but for faults. May be nested.
class InterruptsHeld {
  public:
    InterruptsHeld() { asm volatile("mrs %0, primask\n cpsid i" : "=r"(before_)::"memory"); }
    ~InterruptsHeld() { asm volatile("msr primask, %0" ::"r"(before_) : "memory"); }
    InterruptsHeld(const InterruptsHeld&) = delete;
    InterruptsHeld& operator=(const InterruptsHeld&) = delete;

  private:
    std::uint32_t before_;
};

// Returns when an interrupt is pending that is enabled, held back or not.
inline void wait_for_interrupt() { asm volatile("dsb\n wfi\n isb" ::: "memory"); }

// `number` is that of the part's manual, from 0 on.
inline void enable_interrupt(std::uint32_t number) { reg(kNvicEnable + 4 * (number / 32)) = 1U << (number % 32); }
// Disabled, and no longer pending, where its source no longer asks for it.
inline void disable_interrupt(std::uint32_t number) {
    reg(kNvicDisable + 4 * (number / 32)) = 1U << (number % 32);
    asm volatile("dsb\n isb" ::: "memory");
    reg(kNvicForget + 4 * (number / 32)) = 1U << (number % 32);
}

}  // namespace board
