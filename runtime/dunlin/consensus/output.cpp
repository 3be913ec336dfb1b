#include <dunlin/consensus/consensus.hpp>
#include <dunlin/core/padding.hpp>

#include <algorithm>

namespace dunlin::consensus {

bool Consensus::wants_to_send(NodeId to) const {
    const Progress* const peer = peer_of(to);
    return peer != nullptr && term_durable() && owes(*peer);
}

bool Consensus::owes(const Progress& peer) const {
    if (role_ == Role::member) return false;
    if (peer.vote_reply_owed || peer.vote_request_owed || peer.stale_term_owed) return true;
    if (role_ != Role::leader) return owes_append_reply(peer) || (reply_.image_owed && reply_.to == peer.node);
    if (!peer.is_sent_log()) return false;
    if (peer.heartbeat_owed || peer.timeout_now_owed || may_send_chunk(peer)) return true;
    return peer.next <= log_.last_index() && peer.next > log_.base().index && peer.may_send_entries(options_.appends_in_flight_max);
}

bool Consensus::owes_append_reply(const Progress& peer) const {
    if (role_ == Role::leader || reply_.to != peer.node || stage_.pending()) return false;
    return reply_.append_owed || (!reply_.refused && reportable_match() > reply_.reported);
}

void Consensus::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    Progress* const peer = peer_of(to);
    if (peer == nullptr || !owes(*peer)) return;
    if (!term_durable()) {  // nothing of a term, not even a refusal, before the term is on disk
        counters_->add(Counter::promises_waited);
        return;
    }
    write_votes(*peer, writer);
    write_replies(*peer, writer);
    if (role_ != Role::leader || !peer->is_sent_log()) return;
    write_append(now, *peer, writer);
    if (may_send_chunk(*peer)) write_chunk(*peer, writer);
    // Behind the append, since who campaigns takes nothing of this term any more: the last commit is known to it.
    if (peer->timeout_now_owed && writer.record(wire::RecordType::timeout_now, wire::TimeoutNow(term_.value()))) {
        peer->timeout_now_owed = false;
    }
}

void Consensus::write_votes(Progress& peer, wire::PacketWriter& writer) {
    if (peer.vote_reply_owed) {
        const wire::VoteReply reply(term_.value(), peer.vote_request_term.value(), peer.vote_reply_flags, 0);
        peer.vote_reply_owed = !writer.record(wire::RecordType::vote_reply, reply);
    }
    if (peer.vote_request_owed) {
        const bool pre_vote = role_ == Role::pre_candidate;
        const wire::VoteFlag flag = pre_vote ? wire::VoteFlag::pre_vote : transferred_ ? wire::VoteFlag::transfer : wire::VoteFlag::NONE;
        const wire::VoteRequest request((pre_vote ? term_.next() : term_).value(), log_.last_index().value(), log_.last_term().value(),
                                        static_cast<std::uint32_t>(flag), 0);
        peer.vote_request_owed = !writer.record(wire::RecordType::vote_request, request);
    }
}

void Consensus::write_replies(Progress& peer, wire::PacketWriter& writer) {
    if (peer.stale_term_owed) {
        const wire::AppendReply reply(term_.value(), 0, 0, 0, 0, 0, options_.election_rank, options_.feature_level, 0);
        peer.stale_term_owed = !writer.record(wire::RecordType::append_reply, reply);
    }
    if (owes_append_reply(peer)) {
        constexpr auto kSuccess = static_cast<std::uint32_t>(wire::AppendReplyFlag::success);
        const LogIndex match = reportable_match();
        const wire::AppendReply reply =
            reply_.refused ? wire::AppendReply(term_.value(), reply_.round, 0, reply_.hint_index.value(), reply_.hint_term.value(),
                                               reply_.state_flags, options_.election_rank, options_.feature_level, 0)
                           : wire::AppendReply(term_.value(), reply_.round, match.value(), 0, 0, kSuccess | reply_.state_flags,
                                               options_.election_rank, options_.feature_level, 0);
        if (!writer.record(wire::RecordType::append_reply, reply)) return;
        reply_.append_owed = false;
        if (!reply_.refused) reply_.reported = match;
    }
    if (reply_.image_owed && reply_.to == peer.node) {
        const wire::SnapshotReply reply(term_.value(), reply_.image_index.value(), reply_.round, stage_.received(), 0);
        reply_.image_owed = !writer.record(wire::RecordType::snapshot_reply, reply);
    }
}

std::uint32_t Consensus::entries_that_fit(const Progress& peer, std::size_t room) const {
    if (peer.next <= log_.base().index || !peer.may_send_entries(options_.appends_in_flight_max)) return 0;
    std::uint32_t count = 0;
    for (LogIndex index = peer.next; index <= log_.last_index(); index = index.next()) {
        const std::size_t needed = sizeof(wire::EntryHead) + padded_to<8>(log_.length_at(index));
        if (needed > room) break;
        room -= needed;
        ++count;
    }
    return count;
}

void Consensus::write_append(Instant now, Progress& peer, wire::PacketWriter& writer) {
    const std::size_t room = writer.room();
    if (room < sizeof(wire::Append)) return;
    const std::uint32_t count = entries_that_fit(peer, room - sizeof(wire::Append));
    if (count == 0 && !peer.heartbeat_owed) {
        if (writer.empty() && !may_send_chunk(peer) && !peer.timeout_now_owed)
            peer.blocked = true;  // would never fit: do not ask for packet after packet
        return;
    }
    // A follower that needs the image is asked about nothing: its log agrees with ours at 0.
    const bool known = peer.next > log_.base().index;
    const LogIndex prev = known ? peer.next.previous() : LogIndex{};
    const LogIndex end = prev.plus(count);
    constexpr auto kDiverged = static_cast<std::uint32_t>(wire::AppendFlag::diverged);
    const wire::Append append(term_.value(), prev.value(), known ? log_.term_at(prev).value() : 0, std::min(commit_, end).value(),
                              clock_.leading(now).value(), ++round_, count, told_to_stop(peer) ? kDiverged : 0, applied_.value(),
                              state_hash_);
    bool written = writer.begin(wire::RecordType::append, append);
    for (LogIndex index = prev.next(); index <= end; index = index.next()) {
        const Entry entry = log_.entry(index);
        const auto length = static_cast<std::uint16_t>(entry.payload.size());
        const wire::EntryHead head(entry.term.value(), entry.time.value(), length, static_cast<std::uint8_t>(entry.type), 0, 0);
        constexpr std::array<std::byte, 8> kZeros{};
        written = written && writer.append(bytes_of(head)) && writer.append(entry.payload) &&
                  writer.append(std::span(kZeros).first(padded_to<8>(length) - length));
    }
    DUNLIN_ASSERT(written);
    writer.end();
    counters_->add(Counter::appends_sent);
    peer.sent_round = round_;
    peer.heartbeat_owed = false;
    if (count == 0) return;
    peer.next = end.next();
    ++peer.in_flight;
}

}  // namespace dunlin::consensus
