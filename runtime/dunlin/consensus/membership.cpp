#include <dunlin/consensus/consensus.hpp>

namespace dunlin::consensus {

namespace {

// Heartbeats owed to a member after its removal is committed, the last one not sent: enough to tell it, and no more.
constexpr std::uint8_t kFarewells = 3;

}  // namespace

// ---- The members as the end of the log says

std::size_t Consensus::voter_count() const {
    std::size_t count = self_standing_ == Standing::voter ? 1 : 0;
    for (const Progress& peer : peers()) count += peer.votes() ? 1 : 0;
    return count;
}

std::size_t Consensus::member_count() const {
    std::size_t count = self_standing_ != Standing::none ? 1 : 0;
    for (const Progress& peer : peers()) count += peer.standing != Standing::none ? 1 : 0;
    return count;
}

Member Consensus::member(std::size_t i) const {
    if (self_standing_ != Standing::none && i-- == 0) return row_of(options_.self);
    for (const Progress& peer : peers()) {
        if (peer.standing != Standing::none && i-- == 0) return row_of(peer.node);
    }
    return {};
}

Member Consensus::row_of(NodeId node) const {
    if (node == options_.self) return {{node, storage_named_}, self_standing_};
    const Progress* const peer = peer_of(node);
    return peer == nullptr ? Member{{node, {}}, Standing::none} : Member{{node, peer->storage}, peer->standing};
}

void Consensus::set_members(std::span<const Member> members) {
    if (members.empty()) return;
    DUNLIN_ASSERT(role_ != Role::leader && members.size() < peers_.size());
    for (Progress& peer : peers()) peer.standing = Standing::none;
    self_standing_ = Standing::none;
    last_change_ = {};
    members_known_ = true;
    for (const Member& member : members) set_row(Instant{}, member);
    for (LogIndex index = applied_.next(); log_.contains(index); index = index.next()) {
        const Entry entry = log_.entry(index);
        if (!may_take(entry.type, entry.payload)) return stop(Status::corrupt);
        take_effect(Instant{}, entry);
    }
}

void Consensus::set_row(Instant now, const Member& row) {
    if (row.id.node == options_.self) {
        self_standing_ = row.standing;
        storage_named_ = row.id.storage;
        return;
    }
    Progress* peer = peer_of(row.id.node);
    if (row.standing == Standing::none) {
        if (peer == nullptr) return;
        peer->farewells = kFarewells;
    } else if (peer == nullptr || peer->standing == Standing::none) {
        peer = &slot_for(row.id);
        if (role_ == Role::leader) {
            peer->begin_term(log_.last_index(), now);
            peer->heartbeat_owed = true;
        }
    }
    peer->standing = row.standing;
}

// A slot for a node that is no member, or was none until now: its own, a free one, or one of another that is no member. There
// is always one, since members take fewer than there are. The leader's goes last, or it would get no answer.
Progress& Consensus::slot_for(const Voter& id) {
    Progress* found = peer_of(id.node);
    if (found == nullptr && peer_count_ < peers_.size()) {
        found = &peers_[peer_count_++];
        *found = {};  // the memory may have been that of an earlier life
    }
    if (found == nullptr) {
        for (Progress& peer : peers()) {
            if (peer.standing == Standing::none && (found == nullptr || found->node == leader_)) found = &peer;
        }
    }
    DUNLIN_ASSERT(found != nullptr && found->standing == Standing::none);
    *found = {};
    found->node = id.node;
    found->storage = id.storage;
    return *found;
}

// Who says it is (node, storage), if it is worth listening to. Others than the members known here are: a leader or candidate may
// have been added by what this node has not got yet (Raft thesis §4.1). They are asked for nothing and count for nothing. Nor does
// the node of a member with another storage than it promised on; and it is not heard, for it would take that member's place.
Progress* Consensus::admit(const Origin& from) {
    Progress* const peer = peer_of(from.node);
    if (peer != nullptr && peer->storage == from.storage) return peer;
    if (from.storage == StorageId{} || (peer != nullptr && peer->standing != Standing::none)) {
        counters_->add(Counter::votes_ignored_storage);
        return nullptr;
    }
    return &slot_for(from);
}

// ---- Changes: in force once they are in the log, out again with their entry

bool Consensus::may_take(EntryType type, std::span<const std::byte> payload) const {
    if (type != EntryType::members || !members_known_) return true;
    const auto change = change_in(payload);
    return change && permits(*change) == Status::ok;
}

Status Consensus::permits(const ConfigChange& change) const {
    const Member member = row_of(NodeId{change.node});
    if (!standing_after(member, change)) return Status::invalid_argument;
    if (member.standing == Standing::voter && voter_count() == 1) return Status::invalid_argument;
    return member.standing == Standing::none && member_count() + 1 >= peers_.size() ? Status::ledger_full : Status::ok;
}

// One that was not known to be committed until now is: a leader adds no other before.
void Consensus::take_effect(Instant now, const Entry& entry) {
    if (entry.type != EntryType::members || !members_known_) return;
    const auto change = change_in(entry.payload);
    const Member before = row_of(NodeId{change->node});
    set_row(now, {{NodeId{change->node}, StorageId{change->storage}}, *standing_after(before, *change)});
    last_change_ = {entry.index, before};
}

void Consensus::truncate_after(LogIndex index) {
    log_.truncate_after(index);
    if (last_change_.index <= index) return;
    set_row(Instant{}, last_change_.before);
    last_change_ = {};
}

Result<LogIndex> Consensus::propose_change(Instant now, const ConfigChange& change, std::span<const std::byte> rest) {
    if (role_ != Role::leader) return Status::not_leader;
    const bool free = committed_in_term() && !change_pending() && applied_ == commit_ && transfer_to_ == NodeId{};
    Status status = free ? permits(change) : Status::busy;
    if (status == Status::ok && static_cast<ChangeOp>(change.op) == ChangeOp::promote && !caught_up(now, NodeId{change.node})) {
        status = Status::busy;
    }
    return append_proposal(now, status, EntryType::members, bytes_of(change), rest);
}

// Answers, has on its disk what is committed, and was sent the rest: as a voter it holds no commit up for longer than a round trip and
// a sync. What was sent alone says nothing of its disk.
bool Consensus::caught_up(Instant now, NodeId node) const {
    const Progress* const peer = peer_of(node);
    return peer != nullptr && peer->mode == Progress::Mode::replicate && peer->next > log_.last_index() && peer->match >= commit_ &&
           now - peer->heard < options_.election_timeout_min;
}

// ---- Who is no voter any more

// A voter whose removal is not known to be committed may be the only one that has it, and its log the only one that can win: it
// still campaigns, without its own vote (Raft thesis §4.2.2).
bool Consensus::may_campaign() const {
    const Member& before = last_change_.before;
    const bool leaves = change_pending() && before.id.node == options_.self && before.standing == Standing::voter;
    return (leaves || self_standing_ == Standing::voter) && storage_named_ == storage_ && !stage_.pending();
}

// It has led without counting itself until this was committed. The others hear of the commit, and the one that is furthest is to
// lead; whether it does or not, this node does no more than an election timeout later.
void Consensus::retire(Instant now) {
    owe_heartbeats(now);
    if (transfer_to_ == NodeId{} && !hand_over(now)) step_down(now);
}

}  // namespace dunlin::consensus
