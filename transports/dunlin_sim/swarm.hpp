#pragma once

#include <dunlin_sim/run.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dunlin::sim {

// Kinds of faults, as bits.
enum FaultKinds : std::uint32_t {
    kNoFaults = 0,
    kNetworkFaults = 1,  // loss, duplication, late and corrupt datagrams, thin lines, paths too short for long datagrams
    kCrashFaults = 2,    // of the leader, of anybody, and inside handlers
    kPauseFaults = 4,
    kPartitionFaults = 8,
    kSlowFaults = 16,  // clogged links, slow processes, slow disks
    kAllFaults = 31,
};

// `none`, `all`, `network`, `crash`, `pause`, `partition` or `slow`.
[[nodiscard]] std::optional<std::uint32_t> fault_kind(std::string_view name);

// Swarm testing (Groce et al., 2012): of these kinds a random subset, with random rates, as the plan's seed decides. Each
// fault is on in about half of all seeds. What the plan says already stays.
void draw_faults(RunPlan& plan, std::uint32_t kinds);

}  // namespace dunlin::sim
