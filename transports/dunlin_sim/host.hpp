#pragma once

#include <dunlin_sim/process.hpp>

#include <cstddef>

namespace dunlin::sim {

// What the nodes of simulated runs and scenarios are made of: small hosts with room for a lively workload.
inline constexpr std::size_t kNodesMax = 16;
inline constexpr std::size_t kHostDiskBytes = 384 * 1024;
inline constexpr LedgerLimits kHostLedger{.leases = 16, .keys = 16, .sessions = 32, .members = 8, .value_bytes = 32};

// For one of `nodes` (up to kNodesMax).
[[nodiscard]] MakeHolder host_memory(bool votes, std::size_t nodes);

}  // namespace dunlin::sim
