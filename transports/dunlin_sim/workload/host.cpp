#include <dunlin_sim/workload/host.hpp>

#include <dunlin/node/journal_need.hpp>

namespace dunlin::sim {
namespace {

// Every call into a node looks at each of its peer slots, so there are no more than needed.
constexpr std::uint16_t kFewPeers = 8;

constexpr LedgerLimits kAmpleLedger{.leases = 16, .keys = 16, .sessions = 32, .members = 8, .value_bytes = 32};
// Fewer sessions than clients, and fewer keys than are put.
constexpr LedgerLimits kScarceLedger{.leases = 4, .keys = 4, .sessions = 3, .members = 8, .value_bytes = 32};

constexpr std::uint16_t kScarceMessageBytes = 2000;

// Nodes of one world have different numbers of lanes.
constexpr Limits ample(bool votes, std::uint16_t peers) {
    return {
        .peers = peers,
        .topics = 64,
        .local_subscriptions = 8,
        .remote_subscriptions = 48,
        .outbox_bytes = 32 * 1024,
        .outbox_messages = 256,
        .deliveries = 512,
        .lanes = static_cast<std::uint8_t>(votes ? 3 : 2),
        .inbox_bytes = 32 * 1024,
        .inbox_messages = 256,
        .message_bytes_max = kMessageBytesMax,
        .packets_in_flight_per_peer = 32,
        .requests = 4,
        .explicit_keys = 128,
        .events = 128,
        .journal_buffer_bytes = 12 * 1024,
        .voter = votes,
        .log_entries = 64,
        .log_bytes = 8 * 1024,
        .proposals = 16,
        .ledger = kAmpleLedger,
    };
}

constexpr Limits scarce(bool votes, std::uint16_t peers) {
    Limits limits = ample(votes, peers);
    limits.outbox_bytes = 8 * 1024;
    limits.outbox_messages = 32;
    limits.deliveries = 64;
    limits.lanes = votes || peers > kFewPeers ? 2 : 3;
    limits.lane_window = 16;
    limits.aliases_per_peer = 3;
    limits.inbox_bytes = 4 * 1024;
    limits.inbox_messages = 12;
    limits.message_bytes_max = kScarceMessageBytes;
    limits.packets_in_flight_per_peer = 16;
    limits.explicit_keys = 24;
    limits.events = 64;
    limits.journal_buffer_bytes = 4 * 1024;
    limits.log_entries = 24;
    limits.log_bytes = 4 * 1024;
    limits.proposals = 6;
    limits.ledger = kScarceLedger;
    return limits;
}

constexpr std::size_t kAmpleDiskBytes = 448 * 1024;
// As little as these limits allow: a checkpoint every second or so.
constexpr std::size_t kScarceDiskBytes = journal_device_bytes_min<scarce(true, kNodesMax)>();

template <bool votes, std::uint16_t peers>
MakeHolder of_room(Room room) {
    return room == Room::ample ? holder_of<ample(votes, peers)>() : holder_of<scarce(votes, peers)>();
}

}  // namespace

const LedgerLimits& host_ledger(Room room) { return room == Room::ample ? kAmpleLedger : kScarceLedger; }

std::size_t host_disk_bytes(Room room) { return room == Room::ample ? kAmpleDiskBytes : kScarceDiskBytes; }

std::size_t host_message_bytes(Room room) { return room == Room::ample ? kMessageBytesMax : kScarceMessageBytes; }

MakeHolder host_memory(bool votes, std::size_t nodes, Room room) {
    if (nodes <= kFewPeers) return votes ? of_room<true, kFewPeers>(room) : of_room<false, kFewPeers>(room);
    return votes ? of_room<true, kNodesMax>(room) : of_room<false, kNodesMax>(room);
}

}  // namespace dunlin::sim
