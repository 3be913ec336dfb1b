#include <dunlin/consensus/consensus.hpp>
#include <dunlin/core/padding.hpp>

#include <algorithm>

namespace dunlin::consensus {

// `peer` speaks as the leader of `term`. False: it is not, or its term could not be stored; nothing more is to be done.
bool Consensus::follow(Instant now, Progress& peer, Term term, std::uint64_t round) {
    if (term < term_) {  // it must hear of our term, or it would lead for ever without us
        counters_->add(Counter::stale_terms);
        peer.stale_term_owed = true;
        return false;
    }
    if (term > term_ && !adopt_term(now, term, {})) return false;
    if (role_ == Role::leader || (leader_ != NodeId{} && leader_ != peer.node)) {  // no correct voter does that
        counters_->add(Counter::records_malformed);
        return false;
    }
    if (role_ != Role::follower) become_follower(now);
    set_leader(peer.node);
    leader_heard_ = now;
    restart_election_timer(now);
    reply_.to = peer.node;
    reply_.round = std::max(reply_.round, round);
    return true;
}

void Consensus::on_append(Instant now, Progress& peer, const wire::Record& record) {
    const auto append = record.as<wire::Append>();
    const LogIndex prev{append.prev_index()};
    counters_->add(Counter::appends_received);
    if (!follow(now, peer, Term{append.term()}, append.round())) return;
    // Who does not know that it differs was another process when it did.
    if ((append.flags() & static_cast<std::uint32_t>(wire::AppendFlag::diverged)) != 0 && reply_.state_flags == kStateDiffers) {
        return stop(Status::corrupt);
    }
    clock_.on_heartbeat(term_, ClusterTime{append.cluster_time()});
    hear_state(LogIndex{append.checked_index()}, append.checked_hash());
    if (stage_.pending()) return;
    reply_.append_owed = true;
    reply_.refused = !agrees(prev, Term{append.prev_term()});
    if (reply_.refused) {
        counters_->add(Counter::appends_rejected);
        reply_.hint_index = log_.last_not_after(prev, Term{append.prev_term()});
        reply_.hint_term = log_.term_at(reply_.hint_index);
        return;
    }
    LogIndex last = prev;
    if (!take_entries(now, record, last)) counters_->add(Counter::records_malformed);
    if (stopped_ != Status::ok) return;
    reply_.verified = std::max(reply_.verified, last);
    set_commit(std::min(LogIndex{append.commit()}, last));  // never beyond what this append has shown to be equal
}

// What lies below the base is committed, so every leader has the same.
bool Consensus::agrees(LogIndex prev, Term prev_term) const {
    if (prev < log_.base().index) return true;
    return prev <= log_.last_index() && log_.term_at(prev) == prev_term;
}

// Moves `last` to the last entry that our log now shares with the leader's. False: the record is malformed.
// What is committed is noted entry by entry, since each entry's record tells recovery how far it may let go.
bool Consensus::take_entries(Instant now, const wire::Record& record, LogIndex& last) {
    const auto append = record.as<wire::Append>();
    std::span<const std::byte> bytes = record.bytes;
    for (std::uint32_t left = append.entry_count(); left > 0; --left) {
        wire::EntryHead head;
        if (!take(bytes, head) || head.length() > bytes.size()) return false;
        const std::span<const std::byte> payload = bytes.first(head.length());
        bytes = bytes.subspan(std::min(bytes.size(), padded_to<8>(head.length())));
        const Status taken = take_entry(now, last.next(), head, payload);
        if (taken == Status::corrupt) return false;
        if (taken != Status::ok) return true;  // no room now; the leader sends the rest again
        last = last.next();
        set_commit(std::min(LogIndex{append.commit()}, last));
    }
    return true;
}

Status Consensus::take_entry(Instant now, LogIndex index, const wire::EntryHead& head, std::span<const std::byte> payload) {
    if (index <= log_.base().index) return Status::ok;
    const Term term{head.term()};
    if (log_.contains(index)) {
        if (log_.term_at(index) == term) return Status::ok;
        if (term == Term{} || term > term_) return Status::corrupt;
        if (index <= commit_) {  // no correct leader contradicts what was committed
            stop(Status::corrupt);
            return Status::corrupt;
        }
        counters_->add(Counter::entries_truncated, static_cast<std::uint32_t>(log_.last_index().value() - index.value() + 1));
        truncate_after(index.previous());
    }
    const ClusterTime time{head.cluster_time()};
    if (term < log_.last_term() || term > term_ || time < log_.last_time()) return Status::corrupt;
    const auto type = static_cast<EntryType>(head.type());
    if (!may_take(type, payload)) {
        stop(Status::corrupt);
        return Status::corrupt;
    }
    return append_entry(now, term, time, type, payload, {}, 0);
}

// A member neither votes, acknowledges, proposes nor asks to be woken; and once started, it stays one.
void Consensus::stop(Status why) {
    stopped_ = why;
    set_leader({});
    set_role(Role::member);
}

// The leader's state as it was when it had applied `index`. One that is waited for comes first: who lags would never get to any.
void Consensus::hear_state(LogIndex index, std::uint64_t hash) {
    if (reply_.checked_index > applied_) return;
    reply_.checked_index = index;
    reply_.checked_hash = hash;
    compare_states();
}

// Only as of one entry can states be compared.
void Consensus::compare_states() {
    if (reply_.checked_index != applied_ || reply_.checked_hash == 0 || state_hash_ == 0) return;
    const std::uint32_t flags = state_hash_ == reply_.checked_hash ? kStateAgrees : kStateDiffers;
    if (flags == reply_.state_flags) return;
    reply_.state_flags = flags;
    reply_.append_owed = true;
}

// What may be promised: equal to the leader's log and durable here.
LogIndex Consensus::reportable_match() const { return std::min(reply_.verified, durable_index()); }

}  // namespace dunlin::consensus
