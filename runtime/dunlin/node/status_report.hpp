#pragma once

#include <dunlin/consensus/types.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/membership/failure_detector.hpp>
#include <dunlin/resilience/circuit_breaker.hpp>

#include <cstddef>
#include <cstdint>

namespace dunlin {

enum class RunState : std::uint8_t { created, recovering, ready, draining, failed };

// A node's own view of itself, for people, metrics and checkers. A snapshot: stale as soon as it is taken.
struct StatusReport {
    NodeId id{};
    RunState state = RunState::created;
    consensus::Role role = consensus::Role::member;
    NodeId leader{};  // as far as known; 0: none
    BootEpoch epoch{};
    ClusterIncarnation cluster{};
    StorageId storage{};
    Term term{};
    LogIndex last_index{};
    LogIndex commit{};
    LogIndex applied{};
    LogIndex members_index{};  // of the entry that changed the members last, as applied here; 0: not known
    ClusterTime cluster_time{};
    Status replica = Status::ok;      // why the ledger replica here stopped
    std::uint32_t feature_level = 0;  // of the ledger at `applied`: what its entries may use; 0: not known
    std::uint64_t state_hash = 0;     // of the ledger at `applied`; 0: no replica here
    std::uint16_t sessions_open = 0;
    std::uint16_t outbox_messages = 0;
    std::uint32_t outbox_bytes_free = 0;
    std::uint16_t inbox_messages = 0;
    std::uint16_t leases_held = 0;
};

struct PeerReport {
    NodeId id{};  // 0: not known yet (a seed that has not answered)
    membership::Health health = membership::Health::unknown;
    bool session_open = false;
    bool voter = false;                                                   // as it said when a session opened last
    resilience::CircuitState circuit = resilience::CircuitState::closed;  // of ledger calls to it, where it is a voter
    bool left = false;                                                    // it said goodbye, and was not met since
    BootEpoch epoch{};                                                    // 0: no session was ever open
    Duration rtt{};                                                       // smoothed; 0: none measured
    Duration silence{};                                                   // microseconds since the last packet; 0: none was ever heard
    std::uint32_t packets_lost = 0;        // declared lost by the slot that this peer has, since the process began
    std::uint16_t messages_unsettled = 0;  // sent to it in all lanes and not settled
    std::uint16_t packet_bytes = 0;        // of a whole packet to it, as its path is known to carry; 0: no session
};

}  // namespace dunlin
