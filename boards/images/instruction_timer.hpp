#pragma once

#include <mps2/clock.hpp>

#include <cstdint>

// Counts instructions under QEMU's -icount shift=6, where every instruction takes 64 ns: the clock of an MPS2 ticks 1.6 times an
// instruction, and the same in every run. On hardware, and without -icount, its ticks are 40 ns of time.
namespace instruction_timer {

// Ticks, modulo 2^32. The compiler moves no access to memory across it.
[[nodiscard]] inline std::uint32_t now() {
    asm volatile("" ::: "memory");
    const std::uint32_t ticks = mps2::ticks();
    asm volatile("" ::: "memory");
    return ticks;
}

// Rounded to the nearest.
[[nodiscard]] constexpr std::uint32_t instructions(std::uint32_t ticks) { return (ticks * 5 + 4) / 8; }

}  // namespace instruction_timer
