#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/journal/device.hpp>
#include <dunlin/wire/wire.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin {

// What a node is told at its start. Names and addresses are copied where they are kept; `seeds` must outlive the node.
struct Options {
    NodeId id{};                                // 1..65535, unique in the cluster
    std::string_view cluster = "dunlin";        // 1..32 bytes; nodes of another name never talk to this one
    std::span<const std::string_view> seeds{};  // addresses to contact, in the transport's own form, 1..64 bytes each
    InstanceId instance{};                      // random, nonzero, fresh at every start of the process
    std::uint64_t seed = 0;                     // of the node's one generator: entropy on hosts, fixed in tests
    std::uint64_t journal_bytes = 0;            // size of the block device; 0: no journal
    journal::Geometry journal_geometry{};       // a file; or how its flash is erased and programmed

    Duration heartbeat_interval = milliseconds{200};     // 10 ms..10 s: signs of life to every peer
    Duration session_idle_timeout = seconds{3};          // nothing heard: the session closes; >= 3 heartbeats
    Duration raft_heartbeat = milliseconds{100};         // 5 ms..1 s
    Duration election_timeout_min = milliseconds{500};   // >= 3 raft_heartbeat
    Duration election_timeout_max = milliseconds{1000};  // >= 1.5 election_timeout_min
    std::uint8_t election_rank = 0;                      // 0..3; voters of rank 0 lead first (mains-powered), see ConsensusOptions
    Duration request_timeout = seconds{5};               // a ledger call ends by then, with an answer or timed_out
    std::uint32_t clock_rate_bound_ppm = 1000;           // 0..100000: |rate error| of this node's clock; a voter's: at most the cluster's
    Duration lease_guard = milliseconds{5};              // taken off each lease's validity, for the work between check and act
    Duration key_lifetime_max = std::chrono::hours{1};   // 1 s..30 days: of a message with a key; the same in all nodes that share keys
    Duration packet_age_max = seconds{10};               // 0..10 min: no packet is on its way for longer; keys are kept so much longer
    std::uint16_t packet_bytes_max = 1200;               // 576..1472; a voter's: at least packet_bytes_min() of its limits
    std::uint8_t attempts_max = 250;  // 1..255: how often a handler here may say retry_later to one message, which then is a dead letter
};

// Status::ok, or invalid_argument with a sentence in `reason` that names the field.
// `packet_bytes_min`: of the node's limits (node_memory.hpp).
Status validate(const Options& options, std::string_view& reason, std::uint16_t packet_bytes_min = wire::kPacketBytesMin);
Status validate(const Options& options, std::uint16_t packet_bytes_min);

}  // namespace dunlin
