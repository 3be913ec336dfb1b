#include <dunlin/node/node.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin {
namespace {

// A stranger that said hello and never opened a session, or whose session ended, gives its slot back after this long.
constexpr Duration kStrangerPatience = seconds{10};

// Nothing leaves under a new epoch or binding before its record is appended (append_own_records) and durable.
constexpr JournalSequence kNotAppended{~std::uint64_t{0}};

}  // namespace

// ---- Slots --------------------------------------------------------------------------------------------------------

// A slot for a new peer; where all are taken, that of the one that is least needed: no address of ours, no session,
// nothing owed to it, and quiet the longest.
PeerIndex Node::take_peer(Instant now) {
    PeerIndex peer = peers_.take();
    if (peer == kNoPeer) {
        PeerIndex quietest = kNoPeer;
        for (std::size_t i = 0; i < links_.size(); ++i) {
            const PeerIndex candidate{static_cast<std::uint16_t>(i)};
            const PeerSlot& slot = peers_[candidate];
            if (slot.address_bytes != 0 || links_[i].session_open() || bus_.peer_needed(candidate)) continue;
            if (quietest == kNoPeer || slot.quiet_since < peers_[quietest].quiet_since) quietest = candidate;
        }
        if (quietest == kNoPeer) {
            counters_.add(Counter::packets_no_peer_slot);
            return kNoPeer;
        }
        free_peer(now, quietest);
        peer = peers_.take();
    }
    peers_[peer].quiet_since = now;
    return peer;
}

PeerIndex Node::ensure_peer(Instant now, NodeId node) {
    PeerIndex peer = peers_.find(node);
    if (peer != kNoPeer) return peer;
    peer = take_peer(now);
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

// The seed at this address turned out to be a node that has a slot already.
void Node::merge_seed(Instant now, PeerIndex seed, PeerIndex peer) {
    const PeerSlot slot = peers_[seed];
    free_peer(now, seed);
    PeerSlot& kept = peers_[peer];
    if (kept.address_bytes != 0 || slot.address_bytes == 0) return;
    peers_.set_address(now, peer, std::span(slot.address).first(slot.address_bytes));
    if (kept.phase != PathPhase::none) return;
    kept.path = slot.path;
    kept.phase = PathPhase::up;
    kept.dial_at = kNever;
    link_of(peer).dial(now, slot.path);
}

// Said hello, was not dialled from here, and never opened a session.
bool Node::is_stranger(PeerIndex peer) const {
    const PeerSlot& slot = peers_[peer];
    return slot.in_use && slot.address_bytes == 0 && link_of(peer).peer_epoch() == BootEpoch{} && !bus_.peer_needed(peer);
}

void Node::drop_silent_strangers(Instant now) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        const PeerSlot& slot = peers_[peer];
        if (is_stranger(peer) && now - slot.quiet_since >= kStrangerPatience) free_peer(now, peer);
    }
}

Instant Node::strangers_deadline() const {
    Instant deadline = kNever;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (is_stranger(peer)) deadline = earlier(deadline, peers_[peer].quiet_since + kStrangerPatience);
    }
    return deadline;
}

// ---- Voters ---------------------------------------------------------------------------------------------------------

void Node::dial_voter(Instant now, NodeId node, std::span<const std::byte> address) {
    if (node == self_.id || node == NodeId{} || address.empty()) return;
    PeerIndex peer = peers_.find(node);
    if (peer == kNoPeer && peers_.find_address(address) != kNoPeer) return;  // a seed there will say who it is
    if (peer == kNoPeer) peer = ensure_peer(now, node);
    if (peer == kNoPeer) return;
    if (peers_[peer].address_bytes == 0) peers_.set_address(now, peer, address);
}

// A voter knows the others from its own ledger.
void Node::dial_voters(Instant now) {
    if (client_.voters_known() || coordinator_->voter(0).storage == 0) return;
    std::array<NodeId, kVotersMax> voters{};
    std::size_t count = 0;
    for (; count < kVotersMax; ++count) {
        const ledger::MemberRow row = coordinator_->voter(count);
        if (row.storage == 0) break;
        voters[count] = NodeId{row.node};
        dial_voter(now, voters[count], std::span(row.address).first(row.address_length));
    }
    client_.set_voters(now, std::span(voters).first(count));
    bind(now, coordinator_->incarnation());
}

// ---- Sessions -------------------------------------------------------------------------------------------------------

void Node::take_news(Instant now, PeerIndex peer) {
    link::Link& each = link_of(peer);
    if (const BootEpoch known = each.epoch_refused(); known >= self_.epoch) raise_epoch(now, known);
    const std::uint8_t news = each.take_news();
    if (news == 0) return;
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
    if ((news & link::kPeerEpochEnded) != 0) bus_.peer_ended(peer);
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
