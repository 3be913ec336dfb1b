#include <cortex_m/entropy.hpp>
#include <mps2/clock.hpp>

#include <dunlin_lwip/port.hpp>

// The boards have no random number generator.
std::uint64_t dunlin_lwip::port::random_nonzero_u64() { return board::draw_nonzero_u64(mps2::ticks()); }
bool dunlin_lwip::port::has_entropy() { return board::draws_from_host(mps2::ticks()); }
