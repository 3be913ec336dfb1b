#include <dunlin/node/node.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>

namespace dunlin {
namespace {

// A stranger that said hello and never opened a session, or whose session ended, gives its slot back after this long; and where the
// node at an address that is dialled from here has had no session for so long, the address is asked anew who is there.
constexpr Duration kPatience = seconds{10};

// A publisher that was not heard for so long will not send again what was settled here; only in a full table does it matter.
constexpr Duration kPublisherPatience = std::chrono::hours{1};

// Nothing leaves under a new epoch or binding before its record is appended (append_own_records) and durable.
constexpr JournalSequence kNotAppended{~std::uint64_t{0}};

}  // namespace

// ---- Slots --------------------------------------------------------------------------------------------------------

// Something of its messages was settled, or is with a handler: without this, it would be handed over again.
bool Node::remembers(PeerIndex peer) const {
    return std::ranges::any_of(link_of(peer).lanes(), [](const link::LaneEnds& lane) {
        const link::SettledSet& settled = lane.receiver.settlements().live();
        return lane.receiver.share().slots != 0 || settled.cumulative() != Sequence{} || settled.words_used() != 0;
    });
}

Node::SlotUse Node::slot_use(Instant now, PeerIndex peer) const {
    const PeerSlot& slot = peers_[peer];
    if (slot.address_bytes != 0 || link_of(peer).session_open() || bus_.peer_needed(peer)) return SlotUse::needed;
    if (!remembers(peer)) return SlotUse::none;
    return slot.said_goodbye || now - slot.quiet_since >= kPublisherPatience ? SlotUse::settled_long_ago : SlotUse::settled;
}

// Frees the slot of the least use, and of those the one that is quiet for the longest; false: all are of more use than `most`.
bool Node::make_room(Instant now, SlotUse most) {
    PeerIndex least = kNoPeer;
    SlotUse least_use = SlotUse::needed;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex candidate{static_cast<std::uint16_t>(i)};
        const SlotUse use = slot_use(now, candidate);
        if (use > most) continue;
        const bool better = use < least_use || (use == least_use && peers_[candidate].quiet_since < peers_[least].quiet_since);
        if (least != kNoPeer && !better) continue;
        least = candidate;
        least_use = use;
    }
    if (least == kNoPeer || !void_watermark(least)) return false;
    free_peer(now, least);
    return true;
}

// False: the journal has no room now. Without this record, recovery would have to choose between more publishers than it has
// slots for; with it, the order of the journal says which of them lost theirs.
bool Node::void_watermark(PeerIndex peer) {
    const bool journalled = self_.journalled && state_ != RunState::recovering;
    const bool none = std::ranges::none_of(link_of(peer).lanes(),
                                           [](const link::LaneEnds& lane) { return lane.receiver.settlements().stream() != StreamId{}; });
    if (!journalled || none) return true;
    const WatermarkVoidRecord record{.publisher = peers_[peer].node.value(), .reserved0 = 0, .reserved1 = 0};
    return journal_.append(journal::RecordKind::watermark_void, bytes_of(record)).ok();
}

// A slot for a new peer, if need be that of another one of at most such use.
PeerIndex Node::take_peer(Instant now, SlotUse most) {
    PeerIndex peer = peers_.take();
    if (peer == kNoPeer && make_room(now, most)) peer = peers_.take();
    if (peer != kNoPeer) peers_[peer].quiet_since = now;
    return peer;
}

PeerIndex Node::ensure_peer(Instant now, NodeId node, SlotUse most) {
    PeerIndex peer = peers_.find(node);
    if (peer != kNoPeer) return peer;
    peer = take_peer(now, most);
    if (peer != kNoPeer) name_peer(peer, node);
    return peer;
}

void Node::name_peer(PeerIndex peer, NodeId node) {
    PeerSlot& slot = peers_[peer];
    DUNLIN_ASSERT(slot.node == NodeId{});
    slot.node = node;
    link_of(peer).set_peer(node);
}

void Node::free_peer(Instant now, PeerIndex peer) {
    bus_.peer_freed(peer);
    link_of(peer).reset(now);
    static_cast<void>(link_of(peer).take_news());
    detector_.forget(peer);
    peers_.release(peer);
}

// Said hello, was not dialled from here, never opened a session, and is not known from the journal.
bool Node::is_stranger(PeerIndex peer) const {
    const PeerSlot& slot = peers_[peer];
    return slot.in_use && slot.address_bytes == 0 && link_of(peer).peer_epoch() == BootEpoch{} && !bus_.peer_needed(peer) &&
           !remembers(peer);
}

void Node::end_patience(Instant now) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (now - peers_[peer].quiet_since < kPatience) continue;
        if (is_stranger(peer)) {
            free_peer(now, peer);
        } else if (is_silent_seed(peer)) {
            ask_anew(now, peer);
        }
    }
}

Instant Node::patience_deadline() const {
    Instant deadline = kNever;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (is_stranger(peer) || is_silent_seed(peer)) deadline = earlier(deadline, peers_[peer].quiet_since + kPatience);
    }
    return deadline;
}

// ---- Members --------------------------------------------------------------------------------------------------------

// Of the journal that belongs to this member, as far as a voter knows; 0: not a member.
StorageId Node::member_storage(NodeId node) const {
    if (coordinator_ == nullptr) return {};
    for (std::size_t slot = 0; slot < kVotersMax; ++slot) {
        const ledger::MemberRow row = coordinator_->member(slot);
        if (row.storage != 0 && NodeId{row.node} == node) return StorageId{row.storage};
    }
    return {};
}

void Node::dial_members(Instant now, std::span<const ledger::MemberRow> members) {
    for (const ledger::MemberRow& row : members) {
        const auto address = std::span(row.address).first(row.address_length);
        if (NodeId{row.node} == self_.id || address.empty()) continue;
        if (peers_.find_address(address) != kNoPeer) continue;  // who is there will say so
        const PeerIndex peer = ensure_peer(now, NodeId{row.node}, SlotUse::settled);
        if (peer == kNoPeer) continue;
        if (peers_[peer].of_member) forget_address(now, peer);  // it has another one now
        if (peers_[peer].address_bytes != 0) continue;
        peers_.set_address(now, peer, address);
        peers_[peer].of_member = true;
    }
}

// A session that is open stays, and its path with it.
void Node::forget_address(Instant now, PeerIndex peer) {
    peers_.forget_address(peer);
    link_of(peer).stop_dialling();
    if (!link_of(peer).session_open()) peers_.path_down(now, peer);
    peers_[peer].quiet_since = now;
}

// The addresses of those who were members and are it no more. What a durable subscription is owed waits.
void Node::forget_members(Instant now, std::span<const ledger::MemberRow> members) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        const PeerSlot& slot = peers_[peer];
        if (!slot.in_use || !slot.of_member) continue;
        const auto there = [&slot](const ledger::MemberRow& row) {
            return std::ranges::equal(std::span(row.address).first(row.address_length), std::span(slot.address).first(slot.address_bytes));
        };
        if (std::ranges::none_of(members, there)) forget_address(now, peer);
    }
}

// A voter knows the members from its own ledger. Whoever has a session here is told who votes now.
void Node::take_members(Instant now) {
    if (!coordinator_->take_members_changed()) return;
    std::array<ledger::MemberRow, kVotersMax> members;
    std::array<NodeId, kVotersMax> voters{};
    std::size_t count = 0;
    std::size_t voter_count = 0;
    for (std::size_t slot = 0; slot < kVotersMax; ++slot) {
        members[count] = coordinator_->member(slot);
        if (members[count].storage == 0) continue;
        if (members[count].flags == ledger::kMemberVoter) voters[voter_count++] = NodeId{members[count].node};
        ++count;
    }
    forget_members(now, std::span(members).first(count));
    dial_members(now, std::span(members).first(count));
    client_.set_voters(now, coordinator_->members_index(), std::span(voters).first(voter_count));
    for (std::size_t i = 0; i < links_.size(); ++i)
        peers_[PeerIndex{static_cast<std::uint16_t>(i)}].members_owed = links_[i].session_open();
    bind(now, coordinator_->incarnation());
}

// Who is no voter knows them from what voters tell.
void Node::take_voter_set(Instant now, const ledger::VoterSetReader& told) {
    if (told.index() <= client_.voters_index()) return;
    std::array<ledger::MemberRow, kVotersMax> voters;
    for (std::size_t i = 0; i < told.count(); ++i) voters[i] = told.voter(i);
    if (coordinator_ == nullptr) forget_members(now, std::span(voters).first(told.count()));
    dial_members(now, std::span(voters).first(told.count()));
}

// ---- Sessions -------------------------------------------------------------------------------------------------------

void Node::take_news(Instant now, PeerIndex peer) {
    link::Link& each = link_of(peer);
    if (const BootEpoch known = each.epoch_refused(); known >= self_.epoch && known <= kEpochKnownMax) raise_epoch(now, known);
    const std::uint8_t news = each.take_news();
    if (news == 0) return;
    peers_.ask_all_again();
    if (each.peer_id() != NodeId{} && peers_[peer].node == NodeId{}) {
        if (const PeerIndex other = peers_.find(each.peer_id()); other != kNoPeer) return merge_seed(now, peer, other);
        peers_[peer].node = each.peer_id();
    }
    if ((news & link::kSessionClosed) != 0) {
        peers_[peer].quiet_since = now;
        detector_.session_closed(peer);
        bus_.session_closed(peer);
        client_.on_session_closed(now, peers_[peer].node);
    }
    if ((news & link::kPeerEpochEnded) != 0) {
        bus_.peer_ended(peer);
        peers_[peer].said_goodbye = !each.session_open();
        if (peers_[peer].said_goodbye) detector_.forget(peer);
    }
    if ((news & link::kClusterLearnt) != 0) return bind(now, each.session_cluster());
    if (each.session_open() && (news & link::kSessionOpened) != 0) on_session_opened(now, peer);
}

void Node::on_session_opened(Instant now, PeerIndex peer) {
    const link::Link& each = link_of(peer);
    PeerSlot& slot = peers_[peer];
    if (slot.phase != PathPhase::up || slot.path != each.session_path()) {
        slot.path = each.session_path();
        slot.phase = PathPhase::up;
        slot.blocked = false;
    }
    slot.attempts = 0;
    slot.said_goodbye = false;
    if (each.session_path() == each.dial_path()) {  // else this says nothing of the address
        predecessor_gone(slot.predecessor);         // not where it is this one, whose session is open
        slot.predecessor = {};
    }
    detector_.session_opened(now, peer, slot.node, each.peer_epoch());
    bus_.session_opened(peer);
    client_.on_session_open(now, slot.node);
    if (coordinator_ != nullptr) coordinator_->on_session_open(slot.node);
}

void Node::bind(Instant now, ClusterIncarnation cluster) {
    if (cluster == ClusterIncarnation{} || cluster == self_.cluster) return;
    if (self_.cluster != ClusterIncarnation{}) {
        // Our own log and our own binding disagree: nothing that this node says can be trusted.
        fail(Status::foreign_cluster);
        return;
    }
    self_.cluster = cluster;
    bind_to_store_ = self_.journalled;
    if (bind_to_store_) self_.epoch_gate = kNotAppended;
    Event event;
    event.kind = EventKind::bound;
    event.value = cluster.value();
    events_.push(event);
    restart_links(now);
}

// Somebody knows a later epoch of this NodeId: claim the one after it, and meet everybody anew.
void Node::raise_epoch(Instant now, BootEpoch known) {
    self_.epoch = known.next();
    epoch_to_store_ = self_.journalled;
    if (epoch_to_store_) self_.epoch_gate = kNotAppended;
    leases_.start(self_.epoch);
    restart_links(now);
}

// Whoever has a session with what this node was meets it anew.
void Node::restart_links(Instant now) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (!peers_.in_use(peer)) continue;
        links_[i].restart(now);
        take_news(now, peer);
    }
}

}  // namespace dunlin
