#pragma once

#include <dunlin/consensus/configuration.hpp>
#include <dunlin/core/callback.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>

#include <cstddef>
#include <span>

namespace dunlin::consensus {
class Consensus;
}

namespace dunlin::ledger {

// What the service needs of the replicated log, as calls, so that it can be tested against a log that fits a page.
struct LogPort {
    // busy: the log is full, retry. not_leader.
    Callback<Result<LogIndex>(Instant now, consensus::EntryType type, std::span<const std::byte> first, std::span<const std::byte> second)>
        propose{};
    // not_leader; busy: another change is under way, or what was added has not caught up, retry; invalid_argument: it changes nothing,
    // or there would be no voter; ledger_full.
    Callback<Result<LogIndex>(Instant now, const consensus::ConfigChange& change, std::span<const std::byte> rest)> propose_change{};
    // False: nothing happens, now.
    Callback<bool(Instant now, NodeId to)> hand_over{};
    Callback<bool()> leading{};
    Callback<NodeId()> leader{};  // as far as known; 0: none
    Callback<Term()> term{};
    Callback<ClusterTime(Instant now)> cluster_time{};
    // not_leader; busy: nothing is committed in this term yet, retry.
    Callback<Result<consensus::ReadTicket>()> begin_read{};
    Callback<consensus::ReadState(const consensus::ReadTicket&)> read_state{};
};

// The port of a real log, which must outlive it.
[[nodiscard]] LogPort log_port(consensus::Consensus& consensus);

}  // namespace dunlin::ledger
