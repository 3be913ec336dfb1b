#pragma once

#include <cstdint>

// Random numbers on a board without a random number generator. One generator is seeded by all that there is:
//   the semihosting host   its random device: what is drawn is unique then
//   the arguments          such as entropy=1f.., from somebody who draws another for each start and board
//   noise                  what the RAM held at power-on, what the start before drew (unless the power was off), and how many ticks had
//                          passed at the first draw
// Without a host that is weak: two boards with equal arguments may draw the same, and so may one board after two losses of power. A board
// with a generator of its own uses that, and not this.
namespace board {

// What start-up found in the RAM. Called once, before the first draw.
void keep_noise(std::uint64_t noise);

// 64 bits, not 0. `ticks`: of the fastest counter that the board has. Where it is weak the first draw says so on the console.
[[nodiscard]] std::uint64_t draw_nonzero_u64(std::uint32_t ticks);
// Whether a host's random device is in what is drawn.
[[nodiscard]] bool draws_from_host(std::uint32_t ticks);

}  // namespace board
