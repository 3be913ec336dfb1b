#pragma once

#include <dunlin_sim/network.hpp>

#include <cstddef>

namespace dunlin::sim {

// Ways to part the first `processes` of a network, beyond Network::isolate(). Network::heal() ends them.

void cut_both(Network& network, std::size_t one, std::size_t other);
// Those up to `last_left` on one side, the rest on the other.
void split(Network& network, std::size_t processes, std::size_t last_left);
// Two sides that hear each other only through process `middle`, and that one hears both.
void bridge(Network& network, std::size_t processes, std::size_t middle);
// Each hears its two neighbours: of five, everybody has a majority, and each another one.
void ring(Network& network, std::size_t processes);

}  // namespace dunlin::sim
