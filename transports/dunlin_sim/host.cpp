#include <dunlin_sim/host.hpp>

namespace dunlin::sim {
namespace {

// Every call into a node looks at each of its peer slots, so there are no more than needed.
constexpr std::uint16_t kFewPeers = 8;

constexpr Limits voter_limits(std::uint16_t peers) {
    return {
        .peers = peers,
        .topics = 48,
        .local_subscriptions = 8,
        .remote_subscriptions = 48,
        .outbox_bytes = 32 * 1024,
        .outbox_messages = 256,
        .deliveries = 512,
        .inbox_bytes = 32 * 1024,
        .inbox_messages = 256,
        .packets_in_flight_per_peer = 32,
        .requests = 4,
        .events = 128,
        .journal_buffer_bytes = 8 * 1024,
        .voter = true,
        .log_entries = 64,
        .log_bytes = 8 * 1024,
        .proposals = 16,
        .ledger = kHostLedger,
    };
}
constexpr Limits member_limits(std::uint16_t peers) {
    Limits limits = voter_limits(peers);
    limits.voter = false;
    return limits;
}

}  // namespace

MakeHolder host_memory(bool votes, std::size_t nodes) {
    if (nodes <= kFewPeers) return votes ? holder_of<voter_limits(kFewPeers)>() : holder_of<member_limits(kFewPeers)>();
    return votes ? holder_of<voter_limits(kNodesMax)>() : holder_of<member_limits(kNodesMax)>();
}

}  // namespace dunlin::sim
