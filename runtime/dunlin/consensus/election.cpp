#include <dunlin/consensus/consensus.hpp>
#include <dunlin/consensus/quorum.hpp>

namespace dunlin::consensus {

namespace {

constexpr std::uint32_t kPreVote = static_cast<std::uint32_t>(wire::VoteFlag::pre_vote);
constexpr std::uint32_t kGranted = static_cast<std::uint32_t>(wire::VoteFlag::granted);
constexpr std::uint32_t kTransfer = static_cast<std::uint32_t>(wire::VoteFlag::transfer);

}  // namespace

// ---- Roles

void Consensus::set_role(Role role) {
    if (role == role_) return;
    role_ = role;
    tell(EventKind::role_changed, {}, static_cast<std::uint64_t>(role));
}

void Consensus::set_leader(NodeId leader) {
    if (leader == leader_) return;
    leader_ = leader;
    tell(EventKind::leader_changed, leader, term_.value());
}

void Consensus::restart_election_timer(Instant now) {
    const Duration later = (options_.election_timeout_max - options_.election_timeout_min) / 2 * options_.election_rank;
    election_deadline_ = now + later + random_->between(options_.election_timeout_min, options_.election_timeout_max);
}

void Consensus::become_follower(Instant now) {
    if (role_ == Role::leader) restart_election_timer(now);
    if (stage_.state() == ImageStage::State::sending) stage_.clear();
    term_start_ = {};
    transfer_to_ = {};
    transfer_deadline_ = kNever;
    resend_at_ = kNever;
    for (Progress& peer : peers()) peer.end_term();
    set_role(Role::follower);
    set_leader({});
}

void Consensus::become_leader(Instant now) {
    counters_->add(Counter::leaders_elected);
    stage_.clear();  // an image half received is of no use any more
    clock_.lead(now, log_.last_term(), log_.last_time());
    term_start_ = {};
    transfer_to_ = {};
    transfer_deadline_ = kNever;
    election_deadline_ = kNever;
    leader_heard_ = now;
    set_role(Role::leader);
    set_leader(options_.self);
    for (Progress& peer : peers()) peer.begin_term(log_.last_index(), now);
    owe_heartbeats(now);
    start_term(now);
}

// ---- Term and vote: in memory only what the journal has taken, on the wire only what it has made durable.

bool Consensus::store_hard_state(Term term, NodeId vote) {
    const HardStateRecord record{.term = term.value(), .voted_for = vote.value()};
    const Result<JournalSequence> stored = journal_->append(journal::RecordKind::hard_state, bytes_of(record));
    if (!stored.ok()) return false;
    hard_state_sequence_ = stored.value();
    if (term != term_) reply_ = {};
    term_ = term;
    voted_for_ = vote;
    return true;
}

bool Consensus::adopt_term(Instant now, Term term, NodeId vote) {
    DUNLIN_ASSERT(term > term_);
    const bool stored = store_hard_state(term, vote);
    if (!stored && role_ != Role::leader) return false;
    if (role_ == Role::leader) counters_->add(Counter::leaders_deposed);  // even where the term finds no room: others lead
    become_follower(now);
    return stored;
}

// ---- Campaigns

void Consensus::campaign(Instant now, bool pre_vote) {
    restart_election_timer(now);
    if (!pre_vote && !store_hard_state(term_.next(), options_.self)) return;
    if (pre_vote) transferred_ = false;
    counters_->add(pre_vote ? Counter::pre_votes_started : Counter::elections_started);
    set_leader({});
    set_role(pre_vote ? Role::pre_candidate : Role::candidate);
    for (Progress& peer : peers()) peer.end_term();
    owe_vote_requests(now);
    count_votes(now);
}

void Consensus::owe_vote_requests(Instant now) {
    for (Progress& peer : peers()) peer.vote_request_owed = peer.votes() && !peer.granted;
    resend_at_ = now + options_.heartbeat_interval;
}

void Consensus::count_votes(Instant now) {
    const bool pre_vote = role_ == Role::pre_candidate;
    std::size_t votes = self_counts() && (pre_vote || term_durable()) ? 1 : 0;  // its own, once it is durable
    for (const Progress& peer : peers()) votes += peer.votes() && peer.granted ? 1 : 0;
    if (votes < majority(voter_count())) return;
    if (pre_vote)
        campaign(now, false);
    else if (term_durable())
        become_leader(now);
}

// Ours is no better than a log that ends with (last_term, last_index) (Raft §5.4.1).
bool Consensus::up_to_date(Term last_term, LogIndex last_index) const {
    if (last_term != log_.last_term()) return last_term > log_.last_term();
    return last_index >= log_.last_index();
}

// Who hears a leader ignores campaigns against it, so that a node that comes back, or hears only some of us, cannot
// depose it (Raft thesis §4.2.3). A leader that lost its majority steps down by itself.
bool Consensus::trusts_a_leader(Instant now) const {
    if (role_ == Role::leader) return true;
    return leader_ != NodeId{} && now - leader_heard_ < options_.election_timeout_min;
}

// Whoever it is that asks, and whatever this node is: it may have been promoted by what it has not got yet, and the candidate knows
// who counts (Raft thesis §4.2.1).
void Consensus::on_vote_request(Instant now, Progress& peer, const wire::VoteRequest& request) {
    const bool pre_vote = (request.flags() & kPreVote) != 0;
    const bool transfer = (request.flags() & kTransfer) != 0;
    const Term term{request.term()};
    if (!transfer && trusts_a_leader(now)) {
        counters_->add(pre_vote ? Counter::pre_votes_refused : Counter::votes_refused);
        return;
    }
    const bool free = voted_for_ == NodeId{} || voted_for_ == peer.node;
    const bool granted =
        up_to_date(Term{request.last_term()}, LogIndex{request.last_index()}) && (term > term_ || (!pre_vote && term == term_ && free));
    if (!pre_vote) {
        if (term > term_) {
            if (!adopt_term(now, term, granted ? peer.node : NodeId{})) return;
        } else if (granted && voted_for_ != peer.node) {
            if (!store_hard_state(term_, peer.node)) return;
        }
        if (granted) restart_election_timer(now);
    }
    if (granted)
        counters_->add(Counter::votes_granted);
    else
        counters_->add(pre_vote ? Counter::pre_votes_refused : Counter::votes_refused);
    // A refusal carries our term: a campaigner that is behind learns of it here, or nobody could ever win again.
    peer.vote_reply_owed = true;
    peer.vote_request_term = term;
    peer.vote_reply_flags = static_cast<std::uint8_t>((pre_vote ? kPreVote : 0) | (granted ? kGranted : 0));
}

void Consensus::on_vote_reply(Instant now, Progress& peer, const wire::VoteReply& reply) {
    if (Term{reply.term()} > term_) {
        (void)adopt_term(now, Term{reply.term()}, {});
        return;
    }
    if ((reply.flags() & kGranted) == 0) return;
    const bool pre_vote = (reply.flags() & kPreVote) != 0;
    const Term asked = pre_vote ? term_.next() : term_;
    if (role_ != (pre_vote ? Role::pre_candidate : Role::candidate) || Term{reply.request_term()} != asked) return;
    peer.granted = true;
    peer.vote_request_owed = false;
    count_votes(now);
}

void Consensus::on_timeout_now(Instant now, const Progress& peer, const wire::TimeoutNow& order) {
    if (Term{order.term()} != term_ || role_ != Role::follower || leader_ != peer.node || !may_campaign()) return;
    transferred_ = true;
    campaign(now, false);
}

bool Consensus::may_succeed(Instant now, const Progress& peer) const {
    return peer.votes() && !peer.state_differs && now - peer.heard < options_.election_timeout_min;
}

bool Consensus::hand_over(Instant now, NodeId to) {
    if (role_ != Role::leader || transfer_to_ != NodeId{}) return false;
    Progress* best = nullptr;
    for (Progress& peer : peers()) {
        if (!may_succeed(now, peer) || (to != NodeId{} && to != peer.node)) continue;
        const bool as_far = best != nullptr && peer.match == best->match;
        if (best == nullptr || peer.match > best->match || (as_far && peer.rank < best->rank)) best = &peer;
    }
    if (best == nullptr) return false;
    transfer_to_ = best->node;
    transfer_deadline_ = now + options_.election_timeout_min;
    best->timeout_now_owed = best->match == log_.last_index();
    return true;
}

}  // namespace dunlin::consensus
