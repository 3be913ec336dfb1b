#include <cortex_m/entropy.hpp>
#include <lm3s6965evb/clock.hpp>

#include <dunlin_lwip/port.hpp>

// The part has no random number generator.
std::uint64_t dunlin_lwip::port::random_nonzero_u64() { return board::draw_nonzero_u64(lm3s6965::ticks()); }
bool dunlin_lwip::port::has_entropy() { return board::draws_from_host(lm3s6965::ticks()); }
