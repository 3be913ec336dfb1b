// The part of Node that finds out who is at an address.
#include <dunlin/node/node.hpp>

namespace dunlin {
// Each seed gets a slot once. Where there are not enough, because the journal knows peers by their ids alone, the rest waits until
// one is free: a seed that turns out to be one of those gives its slot back. None takes that of a publisher that may send again.
void Node::dial_seeds(Instant now) {
    for (; !seeds_.empty(); seeds_ = seeds_.subspan(1)) {
        const auto address = std::as_bytes(std::span(seeds_.front()));
        if (const PeerIndex known = peers_.find_address(address); known != kNoPeer) {
            peers_[known].of_member = false;
            continue;
        }
        const PeerIndex peer = take_peer(now, SlotUse::none);
        if (peer == kNoPeer) return;
        peers_.set_address(now, peer, address);
    }
}

// The node at this address is one that has a slot already. That it is there is proven, or else the session that opens next will do so:
// then whoever was there before is gone.
void Node::merge_seed(Instant now, PeerIndex seed, PeerIndex peer) {
    const PeerSlot slot = peers_[seed];
    free_peer(now, seed);
    PeerSlot& kept = peers_[peer];
    kept.quiet_since = now;
    if (kept.address_bytes == 0 && !link_of(peer).session_open()) {
        kept.predecessor = slot.predecessor;
    } else if (slot.predecessor != kept.node) {
        predecessor_gone(slot.predecessor);
    }
    if (kept.address_bytes != 0 || slot.address_bytes == 0) return;
    peers_.set_address(now, peer, std::span(slot.address).first(slot.address_bytes));
    kept.of_member = slot.of_member;
    if (kept.phase != PathPhase::none) return;
    kept.path = slot.path;
    kept.phase = PathPhase::up;
    kept.dial_at = kNever;
    link_of(peer).dial(now, slot.path);
}

// No session, and not thought to be alive: once that has lasted for kPatience, somebody else may be at its address. Any address that
// is dialled, a voter's too.
bool Node::is_silent_seed(PeerIndex peer) const {
    const PeerSlot& slot = peers_[peer];
    if (state_ != RunState::ready || !slot.in_use || slot.address_bytes == 0 || slot.node == NodeId{} || slot.phase != PathPhase::up)
        return false;
    const membership::Health health = detector_.health(peer);
    return !link_of(peer).session_open() && (health == membership::Health::unknown || health == membership::Health::dead);
}

// The address gets a slot of its own again, whose hellos are to whoever is there: the node that was, and then this slot is merged
// into its own; or another one. Where every slot is of more use, it is asked for the node that was, for now.
void Node::ask_anew(Instant now, PeerIndex peer) {
    const PeerSlot silent = peers_[peer];
    peers_[peer].address_bytes = 0;  // so that its own slot, too, may be the one of least use
    const PeerIndex seed = take_peer(now, SlotUse::none);
    if (seed == kNoPeer) {
        peers_[peer].address_bytes = silent.address_bytes;
        peers_[peer].quiet_since = now;
        return;
    }
    if (seed != peer) {
        peers_[peer].predecessor = {};
        link_of(peer).close();
        peers_.path_down(now, peer);
    }
    // Who never proved to be there has not taken the place of who did.
    peers_[seed].predecessor = silent.predecessor != NodeId{} ? silent.predecessor : silent.node;
    peers_.set_address(now, seed, std::span(silent.address).first(silent.address_bytes));
    peers_[seed].of_member = silent.of_member;
}

// Another node proved to be where that one was: its process has ended, and with it its volatile subscriptions. What durable ones are
// owed waits for it, and what was settled of its messages is remembered.
void Node::predecessor_gone(NodeId node) {
    const PeerIndex peer = node == NodeId{} ? kNoPeer : peers_.find(node);
    if (peer == kNoPeer || link_of(peer).session_open()) return;
    link_of(peer).end_volatile_deliveries();
    bus_.peer_ended(peer);
}

}  // namespace dunlin
