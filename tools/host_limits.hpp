#pragma once

#include <dunlin/core/limits.hpp>
#include <dunlin/node/presets.hpp>

#include <cstdint>

namespace dunlin_tool {

// What the nodes of this command have room for: a host spends megabytes where a board spends kilobytes, so that one
// process can keep a fast publisher's outbox full. See core/limits.hpp for the fields.
inline constexpr dunlin::Limits kHostMember{
    .peers = 16,
    .topics = 256,
    .topic_bytes_max = 128,
    .local_subscriptions = 32,
    .remote_subscriptions = 256,
    .aliases_per_peer = 64,
    .payload_block_bytes = 64,
    .outbox_bytes = 1U << 20U,
    .outbox_messages = 4096,
    .deliveries = 16384,
    .lanes = 3,
    .inbox_bytes = 1U << 20U,
    .inbox_messages = 4096,
    .message_bytes_max = 16U << 10U,
    .unsettled_max = 1024,
    .packets_in_flight_per_peer = 64,
    .leases_held = 16,
    .requests = 32,
    .fences = 16,
    .explicit_keys = 0,
    .events = 256,
    .journal_buffer_bytes = 64U << 10U,
};

// The same, for a command that subscribes: only there keys are remembered.
inline constexpr dunlin::Limits kHostSubscriber = [] {
    dunlin::Limits limits = kHostMember;
    limits.explicit_keys = 8192;
    return limits;
}();

// The same, voting in a cluster whose ledger has the given sizes (they were fixed by `dunlin init`). It has room for as many peers as
// `small` has sessions, and for voters. No command publishes or subscribes at a voter: outbox and unsettled_max are small, so that
// its journal may be.
consteval dunlin::Limits host_voter(const dunlin::LedgerLimits& ledger) {
    dunlin::Limits limits = kHostMember;
    limits.peers = 80;
    limits.outbox_bytes = 64U << 10U;
    limits.outbox_messages = 256;
    limits.deliveries = 1024;
    limits.unsettled_max = 64;
    limits.voter = true;
    limits.log_entries = 1024;
    limits.log_bytes = 256U << 10U;
    limits.proposals = 64;
    limits.ledger = ledger;
    return limits;
}

// What a node is here: a member, one that subscribes, or a voter of a cluster whose ledger was sized for boards (voter_min) or hosts
// (small).
enum class NodeKind : std::uint8_t { member, subscriber, voter_small, voter_min };

}  // namespace dunlin_tool
