#pragma once

#include "replica.hpp"

#include <dunlin/ledger/log_port.hpp>

#include <deque>

namespace dunlin::ledger::test {

// A log that commits what the test tells it to, with the answers of a leader or a follower.
struct FakeLog {
    struct Stored {
        LogIndex index;
        Term term;
        ClusterTime time;
        consensus::EntryType type;
        std::vector<std::byte> payload;
    };

    LogPort port() {
        LogPort port{};
        port.propose =
            Callback<Result<LogIndex>(Instant, consensus::EntryType, std::span<const std::byte>, std::span<const std::byte>)>::of(propose);
        port.propose_change =
            Callback<Result<LogIndex>(Instant, const consensus::ConfigChange&, std::span<const std::byte>)>::of(propose_change);
        port.hand_over = Callback<bool(Instant, NodeId)>::of(hand_over);
        port.leading = Callback<bool()>::of(leading);
        port.leader = Callback<NodeId()>::of(leader);
        port.term = Callback<Term()>::of(term);
        port.cluster_time = Callback<ClusterTime(Instant)>::of(cluster_time);
        port.begin_read = Callback<Result<consensus::ReadTicket>()>::of(begin_read);
        port.read_state = Callback<consensus::ReadState(const consensus::ReadTicket&)>::of(read_state);
        return port;
    }

    bool leads = true;
    bool full = false;
    Status change_refused = Status::ok;
    NodeId handed_to{};
    NodeId leader_id{1};
    Term current{1};
    std::deque<Stored> waiting;
    LogIndex last{};
    std::uint64_t read_round = 0;
    std::uint64_t confirmed_round = 0;

    struct Propose {
        FakeLog* log;
        Result<LogIndex> operator()(Instant now, consensus::EntryType type, std::span<const std::byte> first,
                                    std::span<const std::byte> second) {
            if (!log->leads) return Status::not_leader;
            if (log->full) return Status::busy;
            log->last = log->last.next();
            log->waiting.push_back({log->last, log->current, log->cluster_time(now), type, joined(first, second)});
            return log->last;
        }
    } propose{this};
    struct ProposeChange {
        FakeLog* log;
        Result<LogIndex> operator()(Instant now, const consensus::ConfigChange& change, std::span<const std::byte> rest) {
            if (log->change_refused != Status::ok) return log->change_refused;
            return log->propose(now, consensus::EntryType::members, raw(change), rest);
        }
    } propose_change{this};
    struct HandOver {
        FakeLog* log;
        bool operator()(Instant, NodeId to) {
            log->handed_to = to;
            return true;
        }
    } hand_over{this};
    struct Leading {
        FakeLog* log;
        bool operator()() const { return log->leads; }
    } leading{this};
    struct Leader {
        FakeLog* log;
        NodeId operator()() const { return log->leader_id; }
    } leader{this};
    struct TermOf {
        FakeLog* log;
        Term operator()() const { return log->current; }
    } term{this};
    struct Time {
        ClusterTime operator()(Instant now) const { return ClusterTime{static_cast<std::uint64_t>(now.time_since_epoch().count())}; }
    } cluster_time{};
    struct BeginRead {
        FakeLog* log;
        Result<consensus::ReadTicket> operator()() {
            if (!log->leads) return Status::not_leader;
            return consensus::ReadTicket{log->current, {}, ++log->read_round};
        }
    } begin_read{this};
    struct StateOfRead {
        FakeLog* log;
        consensus::ReadState operator()(const consensus::ReadTicket& ticket) const {
            if (!log->leads || ticket.term != log->current) return consensus::ReadState::failed;
            return ticket.round <= log->confirmed_round ? consensus::ReadState::ready : consensus::ReadState::waiting;
        }
    } read_state{this};
};

}  // namespace dunlin::ledger::test
