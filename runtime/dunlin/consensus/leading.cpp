#include <dunlin/consensus/consensus.hpp>
#include <dunlin/consensus/quorum.hpp>

#include <algorithm>

namespace dunlin::consensus {

namespace {

// For how many heartbeats without progress a follower keeps what it still needs in the ring. Proposals may have to wait
// as long when a follower dies and the ring is short.
constexpr int kPatienceHeartbeats = 3;

}  // namespace

// ---- Appending

// What may leave the ring: applied here and durable, since whatever lies below the ring is taken to be on disk; and not
// about to be needed by a follower that makes progress. One that makes none holds nobody up: it gets the image.
LogIndex Consensus::droppable(Instant now) const {
    LogIndex limit = std::min(applied_, durable_index());
    if (role_ != Role::leader) return limit;
    for (const Progress& peer : peers()) {
        if (!peer.answers || now - peer.advanced >= options_.heartbeat_interval * kPatienceHeartbeats) continue;
        if (peer.mode == Progress::Mode::image) {
            if (image_sendable()) limit = std::min(limit, stage_.point().index);
        } else if (peer.match != LogIndex{}) {
            limit = std::min(limit, peer.match);
        }
    }
    return limit;
}

bool Consensus::make_room(Instant now, std::size_t length, std::size_t reserve) {
    if (log_.fits(length, reserve)) return true;
    const LogIndex limit = droppable(now);
    while (!log_.empty() && log_.first_index() <= limit) {
        log_.drop_first();
        if (log_.fits(length, reserve)) return true;
    }
    log_.compact();  // what was in one ring must fit any other of its size, or it could not be replicated, nor replayed
    return log_.fits(length, reserve);
}

Status Consensus::append_entry(Instant now, Term term, ClusterTime time, EntryType type, std::span<const std::byte> first,
                               std::span<const std::byte> second, std::size_t reserve) {
    if (!make_room(now, first.size() + second.size(), reserve)) return Status::busy;
    const LogIndex previous = log_.last_index();
    log_.append(term, time, type, first, second);
    const LogEntryRecord record{.index = previous.next().value(),
                                .term = term.value(),
                                .time = time.value(),
                                .commit = commit_.value(),
                                .type = static_cast<std::uint8_t>(type)};
    const Result<JournalSequence> stored =
        journal_->append(journal::RecordKind::log_entry, bytes_of(record), log_.entry(previous.next()).payload);
    if (!stored.ok()) {
        log_.truncate_after(previous);
        return Status::busy;
    }
    log_.set_last_sequence(stored.value());
    counters_->add(Counter::entries_appended);
    take_effect(now, log_.entry(previous.next()));
    return Status::ok;
}

// Until an entry of its own term is committed a leader neither knows nor may count what is (Raft §5.4.2, thesis §6.4).
// A ring that is full but for its reserve gives of that only when a majority has all of it, so that the entry needs one more
// round trip: however many terms end without, they use none of it.
void Consensus::start_term(Instant now) {
    if (term_start_ != LogIndex{}) return;
    if (!make_room(now, 0, kReservedSlots) && majority_has() < log_.last_index()) return;
    if (append_entry(now, term_, clock_.leading(now), EntryType::none, {}, {}, 0) != Status::ok) return;
    term_start_ = log_.last_index();
    advance_commit(now);
}

Result<LogIndex> Consensus::propose(Instant now, EntryType type, std::span<const std::byte> first, std::span<const std::byte> second) {
    if (role_ != Role::leader) return Status::not_leader;
    const bool free = term_start_ != LogIndex{} && transfer_to_ == NodeId{};
    return append_proposal(now, free ? Status::ok : Status::busy, type, first, second);
}

Result<LogIndex> Consensus::append_proposal(Instant now, Status permitted, EntryType type, std::span<const std::byte> first,
                                            std::span<const std::byte> second) {
    if (first.size() + second.size() > options_.entry_bytes_max) return Status::too_large;
    Status status = permitted;
    if (status == Status::ok) status = append_entry(now, term_, clock_.leading(now), type, first, second, kReservedSlots);
    if (status != Status::ok) {
        counters_->add(Counter::proposals_refused);
        return status;
    }
    advance_commit(now);
    return log_.last_index();
}

// ---- Time

void Consensus::lead_on(Instant now) {
    start_term(now);
    if (now >= transfer_deadline_) {
        transfer_to_ = {};
        transfer_deadline_ = kNever;
        if (!self_counts() && !change_pending()) return step_down(now);
    }
    if (now < resend_at_) return;
    if (!hears_majority(now)) return step_down(now);
    owe_heartbeats(now);
    if (disk_hangs(now) && hand_over(now)) counters_->add(Counter::leaders_hung);
    if (now - leader_heard_ >= kRankPatience) yield_to_better_rank(now);
}

// To a voter that has what is committed: the rest reaches it while leadership is handed over.
void Consensus::yield_to_better_rank(Instant now) {
    leader_heard_ = now;
    const Progress* better = nullptr;
    for (const Progress& peer : peers()) {
        if (!may_succeed(now, peer) || peer.rank >= options_.election_rank || peer.match < commit_) continue;
        if (better == nullptr || peer.rank < better->rank) better = &peer;
    }
    if (better != nullptr && hand_over(now, better->node)) counters_->add(Counter::leaders_yielded);
}

void Consensus::step_down(Instant now) {
    counters_->add(Counter::leaders_stepped_down);
    become_follower(now);
}

// Nothing is durable here any more, so soon nothing can be proposed, and whoever hears the heartbeats waits for this disk: others
// must lead. The operation counts, not what is owed: that is nothing in a checkpoint, where nothing can be proposed either; and a
// disk that is slow, but goes on, stays. Who hears no answer is no better off; check-quorum sees to that.
bool Consensus::disk_hangs(Instant now) {
    const std::uint32_t operation = journal_->operation();
    if (operation == 0 || operation != disk_operation_) {
        disk_operation_ = operation;
        election_deadline_ = now + options_.election_timeout_max;
    }
    return now >= election_deadline_;
}

void Consensus::owe_heartbeats(Instant now) {
    resend_at_ = now + options_.heartbeat_interval;
    for (Progress& peer : peers()) {
        if (peer.standing == Standing::none && peer.farewells != 0 && !change_pending()) --peer.farewells;
        peer.choose_mode(log_.base().index);
        peer.owe_heartbeat(now, options_.election_timeout_min, stage_.total());
        if (peer.node == transfer_to_) peer.timeout_now_owed = peer.match == log_.last_index();
    }
}

bool Consensus::hears_majority(Instant now) const {
    std::size_t heard = self_counts() ? 1 : 0;
    for (const Progress& peer : peers())
        heard += peer.votes() && !peer.state_differs && now - peer.heard < options_.election_timeout_max ? 1 : 0;
    return heard >= majority(voter_count());
}

// ---- Answers

std::uint64_t Consensus::reached(std::uint64_t own, std::uint64_t (*value)(const Progress& peer)) const {
    std::array<std::uint64_t, kVotersMax> values;
    std::size_t count = 0;
    if (self_counts()) values[count++] = own;
    for (const Progress& peer : peers()) {
        if (peer.votes()) values[count++] = peer.state_differs ? 0 : value(peer);
    }
    return reached_by_majority(std::span(values).first(count));
}

LogIndex Consensus::majority_has() const {
    return LogIndex{reached(durable_index().value(), [](const Progress& peer) { return peer.match.value(); })};
}

// A majority's durable prefix is committed only as far as an entry of the leader's own term (Raft §5.4.2, figure 8).
void Consensus::advance_commit(Instant now) {
    const LogIndex stored = majority_has();
    if (stored <= commit_ || log_.term_at(stored) != term_) return;
    const bool first = commit_ < term_start_;
    const bool changing = change_pending();
    set_commit(stored);
    if (first) tell(EventKind::committed, {}, commit_.value());
    if (changing && !change_pending() && !self_counts()) retire(now);
}

void Consensus::set_commit(LogIndex index) {
    if (index <= commit_) return;
    counters_->add(Counter::entries_committed, static_cast<std::uint32_t>(index.value() - commit_.value()));
    commit_ = index;
}

// Whether a reply of `term` is for this node as the leader it is now, and to a round that there was.
bool Consensus::answers_me(Instant now, Progress& peer, Term term, std::uint64_t round) {
    if (term > term_) {
        (void)adopt_term(now, term, {});
        return false;
    }
    const bool mine = term == term_ && role_ == Role::leader;
    if (mine && round <= round_) {
        peer.on_answer(round, now);
        return true;
    }
    counters_->add(mine ? Counter::records_malformed : Counter::stale_terms);
    return false;
}

// Where a log whose entry `hint` is of `hint_term`, and which differs after that, may agree with ours at the latest; below
// our base where it takes the image to tell.
LogIndex Consensus::agreement(LogIndex hint, Term hint_term) const {
    const ImagePoint& base = log_.base();
    if (hint < base.index) return hint;
    const LogIndex agreed = log_.last_not_after(hint, hint_term);
    return agreed == base.index && base.term > hint_term ? base.index.previous() : agreed;
}

// What a follower says of its state. False: this leader's own is the one that no majority can have.
bool Consensus::judge_state(Progress& peer, const wire::AppendReply& reply) {
    const bool older = reply.round() < peer.acked_round;  // and comes late
    if (older || (reply.flags() & (kStateAgrees | kStateDiffers)) == 0) return true;
    peer.state_differs = (reply.flags() & kStateDiffers) != 0;
    peer.state_agrees = !peer.state_differs;
    std::size_t like_ours = voter_count();
    for (const Progress& each : peers()) like_ours -= each.votes() && each.state_differs ? 1 : 0;
    if (like_ours >= majority(voter_count())) return true;
    stop(Status::corrupt);
    return false;
}

bool Consensus::told_to_stop(const Progress& peer) const {
    std::size_t agree = self_counts() ? 1 : 0;
    for (const Progress& each : peers()) agree += each.votes() && each.state_agrees ? 1 : 0;
    return peer.state_differs && agree >= majority(voter_count());
}

std::uint8_t Consensus::features_of_all() const {
    if (role_ != Role::leader) return 0;
    std::uint8_t level = options_.feature_level;
    for (const Progress& peer : peers()) {
        if (peer.standing != Standing::none) level = std::min<std::uint8_t>(level, peer.feature_level);
    }
    return level;
}

void Consensus::on_append_reply(Instant now, Progress& peer, const wire::AppendReply& reply) {
    if (!answers_me(now, peer, Term{reply.term()}, reply.round()) || !judge_state(peer, reply)) return;
    const bool success = (reply.flags() & static_cast<std::uint32_t>(wire::AppendReplyFlag::success)) != 0;
    const LogIndex match{reply.match_index()};
    peer.rank = reply.rank() & kElectionRankMax;
    peer.feature_level = std::clamp<std::uint8_t>(reply.feature_level(), 1, kFeatureLevelMax) & kFeatureLevelMax;
    if (match > log_.last_index()) {
        counters_->add(Counter::records_malformed);
        return;
    }
    if (success) {
        peer.on_success(match, now);
    } else {
        peer.on_refusal(agreement(LogIndex{reply.hint_index()}, Term{reply.hint_term()}), reply.round(), round_);
    }
    peer.choose_mode(log_.base().index);
    advance_commit(now);
    if (peer.node == transfer_to_ && peer.match == log_.last_index()) peer.timeout_now_owed = true;
}

}  // namespace dunlin::consensus
