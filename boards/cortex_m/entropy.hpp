#pragma once

#include <cstdint>

// Random numbers on a board without a random number generator. The best source there is seeds one generator:
//   the argument `entropy=HEX`  1..16 hexadecimal digits, which differ from start to start and board to board: somebody else drew them. A
//                               reset finds the same words: what the last start left in the RAM makes the next one another
//   the semihosting host        its random device
//   noise                       weak: what the RAM held at power-on, the arguments, and how many ticks had passed at the first draw. Two
//                               boards with equal arguments may draw the same. A board with a generator of its own uses that, and not this.
namespace board {

// What start-up found in the RAM. Called once, before the first draw.
void keep_noise(std::uint64_t noise);

// 64 bits, not 0. `ticks`: of the fastest counter that the board has. Where noise is all there is, the first draw says so on the console. An
// argument `entropy=` that is no number ends the image.
[[nodiscard]] std::uint64_t draw_nonzero_u64(std::uint32_t ticks);

}  // namespace board
