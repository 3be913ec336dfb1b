#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin_sim/disk.hpp>

#include <span>

namespace dunlin::sim {

// Gives a formatted disk the journal of a node that has sent each of these peers messages up to `next`, long ago: its lanes go
// on numbering there. The node has not run yet. How a run comes close to a wrap of numbers in time.
void number_lanes_from(Disk& disk, std::span<const NodeId> peers, Sequence next);

}  // namespace dunlin::sim
