#pragma once

#include <cstdint>

// The stack lies at the lowest addresses of the RAM: what overflows it runs out of the memory and faults, and overwrites nothing.
extern "C" std::uint32_t stack_bottom, stack_top;

namespace board {

// Paints what is free of the stack, and gives back a hash of what was there. Called once, at reset.
[[nodiscard]] std::uint64_t paint_stack();

}  // namespace board
