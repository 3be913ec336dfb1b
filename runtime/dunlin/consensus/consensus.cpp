#include <dunlin/consensus/consensus.hpp>

#include <algorithm>

namespace dunlin::consensus {

Consensus::Consensus(const ConsensusStorage& storage, const ConsensusOptions& options, journal::Journal& journal, Counters& counters,
                     Random& random, EventQueue& events)
    : options_(options),
      journal_(&journal),
      counters_(&counters),
      random_(&random),
      events_(&events),
      log_(storage.log),
      stage_(storage.staging),
      peers_(storage.peers) {
    DUNLIN_ASSERT(options.self.value() != 0 && peers_.size() <= kVotersMax + 1);
    DUNLIN_ASSERT(options.heartbeat_interval < options.election_timeout_min && options.election_timeout_min < options.election_timeout_max);
}

// ---- Recovery

void Consensus::restore_image(const ImagePoint& point) {
    DUNLIN_ASSERT(role_ == Role::member);
    log_.reset(point, JournalSequence{});
    commit_ = applied_ = replay_commit_ = point.index;
    state_hash_ = 0;
}

Status Consensus::replay(journal::RecordKind kind, std::span<const std::byte> bytes) {
    DUNLIN_ASSERT(role_ == Role::member);
    if (kind == journal::RecordKind::log_entry) return replay_entry(bytes);
    HardStateRecord record;
    if (kind != journal::RecordKind::hard_state || !take(bytes, record)) return Status::corrupt;
    term_ = Term{record.term};
    voted_for_ = NodeId{record.voted_for};
    return Status::ok;
}

Status Consensus::replay_entry(std::span<const std::byte> bytes) {
    LogEntryRecord record;
    if (!take(bytes, record)) return Status::corrupt;
    const LogIndex index{record.index};
    if (index <= log_.base().index) return Status::ok;  // the image has it
    if (index > log_.last_index().next() || index <= applied_) return Status::corrupt;
    if (log_.contains(index)) truncate_after(index.previous());

    replay_commit_ = std::max(replay_commit_, LogIndex{record.commit});
    set_commit(std::min(replay_commit_, log_.last_index()));
    if (Term{record.term} < log_.last_term() || ClusterTime{record.time} < log_.last_time()) return Status::corrupt;
    if (!may_take(static_cast<EntryType>(record.type), bytes)) return Status::corrupt;
    if (!make_room(Instant{}, bytes.size(), 0)) return Status::busy;
    log_.append(Term{record.term}, ClusterTime{record.time}, static_cast<EntryType>(record.type), bytes);
    take_effect(Instant{}, log_.entry(index));
    set_commit(std::min(replay_commit_, log_.last_index()));
    return Status::ok;
}

bool Consensus::live_record(LogIndex image, std::uint32_t position, LiveRecord& out) {
    if (position == 0) {
        hard_state_scratch_ = {.term = term_.value(), .voted_for = voted_for_.value()};
        out = {journal::RecordKind::hard_state, bytes_of(hard_state_scratch_), {}};
        return true;
    }
    const LogIndex index = image.plus(position);
    if (!log_.contains(index)) return false;
    const Entry entry = log_.entry(index);
    entry_scratch_ = {.index = index.value(),
                      .term = entry.term.value(),
                      .time = entry.time.value(),
                      .commit = std::min(commit_, index).value(),
                      .type = static_cast<std::uint8_t>(entry.type)};
    out = {journal::RecordKind::log_entry, bytes_of(entry_scratch_), entry.payload};
    return true;
}

// ---- Members

std::optional<Entry> Consensus::unread_bootstrap() const {
    constexpr LogIndex kFirst{1};
    if (members_known_ || !log_.contains(kFirst)) return std::nullopt;
    const Entry entry = log_.entry(kFirst);
    if (entry.type != EntryType::bootstrap) return std::nullopt;
    return entry;
}

const Progress* Consensus::peer_of(NodeId node) const {
    for (const Progress& peer : peers()) {
        if (peer.node == node) return &peer;
    }
    return nullptr;
}

void Consensus::tell(EventKind kind, NodeId node, std::uint64_t value) {
    Event event{.kind = kind, .node = node};
    event.value = value;
    event.detail = term_.value();
    events_->push(event);
}

// ---- Input

void Consensus::start(Instant now, StorageId storage) {
    DUNLIN_ASSERT(role_ == Role::member && storage != StorageId{});
    storage_ = storage;
    if (stopped_ != Status::ok) return;
    set_role(Role::follower);
    restart_election_timer(now);
    if (may_campaign() && self_counts() && voter_count() == 1) campaign(now, true);  // alone: nobody to wait for
}

bool Consensus::on_record(Instant now, const Origin& from, const wire::Record& record) {
    if (record.type < wire::RecordType::vote_request || record.type > wire::RecordType::timeout_now) return false;
    if (role_ == Role::member || from.node == options_.self) return true;
    Progress* const peer = admit(from);
    if (peer == nullptr) return true;
    switch (record.type) {
        case wire::RecordType::vote_request: on_vote_request(now, *peer, record.as<wire::VoteRequest>()); break;
        case wire::RecordType::vote_reply: on_vote_reply(now, *peer, record.as<wire::VoteReply>()); break;
        case wire::RecordType::append: on_append(now, *peer, record); break;
        case wire::RecordType::append_reply: on_append_reply(now, *peer, record.as<wire::AppendReply>()); break;
        case wire::RecordType::snapshot_chunk: on_snapshot_chunk(now, *peer, record); break;
        case wire::RecordType::snapshot_reply: on_snapshot_reply(now, *peer, record.as<wire::SnapshotReply>()); break;
        default: on_timeout_now(now, *peer, record.as<wire::TimeoutNow>()); break;
    }
    return true;
}

void Consensus::on_timeout(Instant now) {
    if (role_ == Role::member) return;
    if (role_ == Role::leader) return lead_on(now);
    if (role_ != Role::follower && now >= resend_at_) owe_vote_requests(now);
    if (now < election_deadline_) return;
    set_leader({});
    if (may_campaign())
        campaign(now, true);
    else
        restart_election_timer(now);
}

void Consensus::on_durable(Instant now) {
    if (role_ == Role::leader) {
        start_term(now);
        advance_commit(now);
    } else if (role_ == Role::candidate) {
        count_votes(now);
    }
}

Instant Consensus::next_deadline() const {
    if (role_ == Role::member) return kNever;
    if (role_ == Role::leader) return earlier(resend_at_, transfer_deadline_);
    return role_ == Role::follower ? election_deadline_ : earlier(election_deadline_, resend_at_);
}

// ---- The log

std::optional<Entry> Consensus::next_to_apply() const {
    if (applied_ >= commit_) return std::nullopt;
    return log_.entry(applied_.next());
}

void Consensus::applied(LogIndex index, std::uint64_t state_hash) {
    DUNLIN_ASSERT(index == applied_.next() && index <= commit_);
    applied_ = index;
    state_hash_ = state_hash;
    compare_states();
}

ClusterTime Consensus::cluster_time(Instant now) const {
    return role_ == Role::leader ? clock_.leading(now) : clock_.following(log_.last_term(), log_.last_time());
}

}  // namespace dunlin::consensus
