#pragma once

#include <dunlin/core/limits.hpp>

// Limits to start from. Copy one and change what your node needs: a bad combination does not compile, and
// sizeof(NodeMemory<yours>) is the whole bill. What each takes is static_asserted beside NodeMemory (node_memory.hpp).
namespace dunlin::limits {

// Outbox and inbox of a preset are counted as they lie in memory, with their bookkeeping: `outbox_bytes` is what is left
// for payloads when messages and deliveries have their slots.

// A board that is a member: publishes, subscribes, holds leases. At most 16 KiB on Cortex-M. Its outbox and the keys that it
// remembers (42 bytes each) take 4 KiB, its inbox 2 KiB.
inline constexpr Limits micro{
    .peers = 4,
    .topics = 16,
    .topic_bytes_max = 32,
    .local_subscriptions = 8,
    .remote_subscriptions = 12,
    .aliases_per_peer = 8,
    .payload_block_bytes = 64,
    .outbox_bytes = 18 * 64,
    .outbox_messages = 16,
    .deliveries = 24,
    .lane_window = 16,
    .inbox_bytes = 19 * 64,
    .inbox_messages = 12,
    .message_bytes_max = 256,
    .packets_in_flight_per_peer = 8,
    .leases_held = 2,
    .requests = 2,
    .fences = 2,
    .explicit_keys = 32,
    .events = 8,
    .journal_buffer_bytes = 512,
};

// A board that votes in a cluster of three to five. At most 24 KiB on Cortex-M.
inline constexpr Limits voter_min{
    .peers = 4,
    .topics = 16,
    .topic_bytes_max = 20,
    .local_subscriptions = 4,
    .remote_subscriptions = 5,
    .aliases_per_peer = 4,
    .payload_block_bytes = 64,
    .outbox_bytes = 24 * 64,
    .outbox_messages = 12,
    .deliveries = 18,
    .lane_window = 16,
    .inbox_bytes = 20 * 64,
    .inbox_messages = 8,
    .message_bytes_max = 256,
    .packets_in_flight_per_peer = 8,
    .leases_held = 2,
    .requests = 2,
    .fences = 2,
    .explicit_keys = 16,
    .events = 8,
    .journal_buffer_bytes = 512,
    .voter = true,
    .log_entries = 32,
    .log_bytes = 512,
    .proposals = 3,
    .ledger = {.leases = 16, .keys = 16, .sessions = 16, .members = 5, .value_bytes = 32},
};

// An ARM Linux node or a bigger board, voting. At most 96 KiB on Cortex-M.
inline constexpr Limits small{
    .peers = 16,
    .topics = 64,
    .topic_bytes_max = 32,
    .local_subscriptions = 8,
    .remote_subscriptions = 24,
    .aliases_per_peer = 8,
    .payload_block_bytes = 64,
    .outbox_bytes = 323 * 64,
    .outbox_messages = 64,
    .deliveries = 124,
    .lane_window = 32,
    .inbox_bytes = 32 * 64,
    .inbox_messages = 24,
    .message_bytes_max = 512,
    .packets_in_flight_per_peer = 8,
    .leases_held = 4,
    .requests = 4,
    .fences = 4,
    .explicit_keys = 64,
    .events = 10,
    .journal_buffer_bytes = 2048,
    .voter = true,
    .log_entries = 128,
    .log_bytes = 2048,
    .proposals = 8,
    .ledger = {.leases = 64, .keys = 64, .sessions = 64, .members = 64, .value_bytes = 32},
};

// A Linux gateway, voting, between a large cluster and the world. At most 16 MiB. Its ledger is that of a large cluster: where
// the cluster has another (which `small` or `voter_min` names, say), give it that.
inline constexpr Limits gateway{
    .peers = 256,
    .topics = 1024,
    .topic_bytes_max = 128,
    .local_subscriptions = 64,
    .remote_subscriptions = 1024,
    .aliases_per_peer = 32,
    .payload_block_bytes = 64,
    .outbox_bytes = 3U << 20U,
    .outbox_messages = 8192,
    .deliveries = 16384,
    .lanes = 3,
    .lane_window = 1024,
    .inbox_bytes = 1U << 20U,
    .inbox_messages = 4096,
    .message_bytes_max = 16U << 10U,
    .packets_in_flight_per_peer = 64,
    .leases_held = 16,
    .requests = 32,
    .fences = 16,
    .explicit_keys = 8192,
    .events = 256,
    .journal_buffer_bytes = 256U << 10U,
    .voter = true,
    .log_entries = 1024,
    .log_bytes = 256U << 10U,
    .proposals = 64,
    .ledger = {.leases = 256, .keys = 256, .sessions = 1024, .members = 1024, .value_bytes = 64},
};

}  // namespace dunlin::limits
