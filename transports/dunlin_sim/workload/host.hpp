#pragma once

#include <dunlin_sim/process.hpp>

#include <cstddef>
#include <cstdint>

namespace dunlin::sim {

// What the nodes of simulated runs and scenarios are made of: small hosts with room for a lively workload (ample), or with
// so little that every table, buffer and journal fills up now and then (scarce).
inline constexpr std::size_t kNodesMax = 16;
enum class Room : std::uint8_t { ample, scarce };

[[nodiscard]] const LedgerLimits& host_ledger(Room room);
[[nodiscard]] std::size_t host_disk_bytes(Room room);
[[nodiscard]] std::size_t host_message_bytes(Room room);  // longest payload, at most kMessageBytesMax
inline constexpr std::size_t kMessageBytesMax = 6000;
// For one of `nodes` (up to kNodesMax).
[[nodiscard]] MakeHolder host_memory(bool votes, std::size_t nodes, Room room = Room::ample);

}  // namespace dunlin::sim
