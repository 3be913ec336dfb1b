#include <dunlin/node/options.hpp>

#include <dunlin/consensus/options.hpp>
#include <dunlin/core/limits.hpp>

namespace dunlin {
namespace {

enum class Fault : std::uint8_t {
    none,
    id,
    cluster,
    seed,
    instance,
    heartbeat_interval,
    session_idle_timeout,
    raft_heartbeat,
    election_timeout_min,
    election_timeout_max,
    election_rank,
    request_timeout,
    clock_rate_bound,
    lease_guard,
    key_lifetime_max,
    packet_age_max,
    packet_bytes_max,
    attempts_max
};

// The sentences, apart from the checks: a board's image that never asks for one does without them.
std::string_view sentence(Fault fault) {
    switch (fault) {
        case Fault::id: return "id must be 1..65535";
        case Fault::cluster: return "cluster must be 1..32 bytes long";
        case Fault::seed: return "each seed must be 1..64 bytes long";
        case Fault::instance: return "instance must be a fresh random number, not 0";
        case Fault::heartbeat_interval: return "heartbeat_interval must be 10 ms..10 s";
        case Fault::session_idle_timeout: return "session_idle_timeout must be at least 3 heartbeat_interval";
        case Fault::raft_heartbeat: return "raft_heartbeat must be 5 ms..1 s";
        case Fault::election_timeout_min: return "election_timeout_min must be at least 3 raft_heartbeat";
        case Fault::election_timeout_max: return "election_timeout_max must be at least 1.5 election_timeout_min";
        case Fault::election_rank: return "election_rank must be 0..3";
        case Fault::request_timeout: return "request_timeout must be 100 ms..10 min";
        case Fault::clock_rate_bound: return "clock_rate_bound_ppm must be 0..100000";
        case Fault::lease_guard: return "lease_guard must be 0..10 s";
        case Fault::key_lifetime_max: return "key_lifetime_max must be 1 s..30 days";
        case Fault::packet_age_max: return "packet_age_max must be 0..10 min";
        case Fault::packet_bytes_max: return "packet_bytes_max must be 576..1472, and in a voter carry the longest entry of its ledger";
        case Fault::attempts_max: return "attempts_max must be 1..255";
        case Fault::none: break;
    }
    return {};
}

Fault first_fault(const Options& options, std::uint16_t packet_bytes_min) {
    if (options.id.value() == 0) return Fault::id;
    if (options.cluster.empty() || options.cluster.size() > kClusterNameBytesMax) return Fault::cluster;
    for (const std::string_view seed : options.seeds) {
        if (seed.empty() || seed.size() > kAddressBytesMax) return Fault::seed;
    }
    if (options.instance.value() == 0) return Fault::instance;
    if (options.heartbeat_interval < milliseconds{10} || options.heartbeat_interval > seconds{10}) return Fault::heartbeat_interval;
    if (options.session_idle_timeout < 3 * options.heartbeat_interval) return Fault::session_idle_timeout;
    if (options.raft_heartbeat < milliseconds{5} || options.raft_heartbeat > seconds{1}) return Fault::raft_heartbeat;
    if (options.election_timeout_min < 3 * options.raft_heartbeat) return Fault::election_timeout_min;
    if (2 * options.election_timeout_max < 3 * options.election_timeout_min) return Fault::election_timeout_max;
    if (options.election_rank > consensus::kElectionRankMax) return Fault::election_rank;
    if (options.request_timeout < milliseconds{100} || options.request_timeout > std::chrono::minutes{10}) return Fault::request_timeout;
    if (options.clock_rate_bound_ppm > 100'000) return Fault::clock_rate_bound;
    if (options.lease_guard < Duration::zero() || options.lease_guard > seconds{10}) return Fault::lease_guard;
    if (options.key_lifetime_max < seconds{1} || options.key_lifetime_max > std::chrono::hours{30 * 24}) return Fault::key_lifetime_max;
    if (options.packet_age_max < Duration::zero() || options.packet_age_max > std::chrono::minutes{10}) return Fault::packet_age_max;
    if (options.packet_bytes_max < packet_bytes_min || options.packet_bytes_max > 1472) return Fault::packet_bytes_max;
    if (options.attempts_max == 0) return Fault::attempts_max;
    return Fault::none;
}

}  // namespace

Status validate(const Options& options, std::uint16_t packet_bytes_min) {
    return first_fault(options, packet_bytes_min) == Fault::none ? Status::ok : Status::invalid_argument;
}

Status validate(const Options& options, std::string_view& reason, std::uint16_t packet_bytes_min) {
    const Fault fault = first_fault(options, packet_bytes_min);
    reason = sentence(fault);
    return fault == Fault::none ? Status::ok : Status::invalid_argument;
}

}  // namespace dunlin
