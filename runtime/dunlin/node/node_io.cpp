#include <dunlin/node/node.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/node/entry_guard.hpp>

namespace dunlin {

// ---- Packets in -----------------------------------------------------------------------------------------------------

void Node::on_datagram(Instant now, PathId path, const PeerIdentity& identity, std::span<const std::byte> bytes) {
    const EntryGuard guard(inside_);
    last_now_ = now;
    peers_.ask_all_again();
    if (state_ != RunState::ready && state_ != RunState::draining) return;
    if (said_goodbye_) return;  // whoever dials again meets the next life of this node
    counters_.add(Counter::packets_received);
    counters_.add(Counter::bytes_received, static_cast<std::uint32_t>(bytes.size()));
    auto reader = wire::PacketReader::open(bytes, counters_);
    if (!reader) return;
    const wire::PacketHeader& header = reader->header();
    const bool hello = header.session() == 0;
    if (header.destination() != self_.id.value() && !(hello && header.destination() == 0)) {
        counters_.add(Counter::packets_wrong_destination);
        return;
    }
    if (identity.proven != NodeId{} && identity.proven.value() != header.source()) {
        counters_.add(Counter::packets_unknown_source);
        return;
    }
    note_durable(now);
    if (hello) {
        on_hello(now, path, *reader);
    } else {
        on_session_packet(now, path, *reader);
    }
    advance(now);
}

// Whether a node without a slot may have one: for a well-formed hello of this cluster. (Anything else, such as a refusal, is an
// answer to a slot that was freed.) The reader is a copy.
bool Node::admits(wire::PacketReader reader) {
    const ClusterIncarnation cluster{reader.header().cluster()};
    const bool other_incarnation = cluster != ClusterIncarnation{} && self_.cluster != ClusterIncarnation{} && cluster != self_.cluster;
    for (wire::Record record; reader.next(record);) {
        if (record.type != wire::RecordType::hello) continue;
        const std::string_view name(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
        if (!other_incarnation && name == self_.cluster_name) return reader.header().source() != self_.id.value();
        counters_.add(Counter::hellos_received);
        counters_.add(Counter::packets_foreign_cluster);
        return false;
    }
    return false;
}

void Node::on_hello(Instant now, PathId path, wire::PacketReader& reader) {
    const NodeId source{reader.header().source()};
    const PeerIndex unnamed = peers_.find_unnamed(path);
    PeerIndex peer = peers_.find(source);
    if (peer != kNoPeer && unnamed != kNoPeer) {
        // Anybody can say a hello in that node's name: unless it is an answer, no address and no session depends on it.
        const bool idle = peers_[peer].address_bytes == 0 && !link_of(peer).session_open();
        if (link_of(unnamed).is_answered_by(reader) || (idle && admits(reader))) merge_seed(now, unnamed, peer);
    }
    if (peer == kNoPeer) peer = unnamed;
    if (peer == kNoPeer) {
        if (!admits(reader)) return;
        peer = take_peer(now, SlotUse::settled_long_ago);
        if (peer == kNoPeer) return counters_.add(Counter::packets_no_peer_slot);
        peers_[peer].path = path;
        peers_[peer].phase = PathPhase::up;
    }
    const auto result = link_of(peer).on_hello_packet(now, path, member_storage(source), reader);
    if (link_of(peer).epoch_refused() > kEpochKnownMax) counters_.add(Counter::identity_conflicts);
    // One slot a node, from its first hello on: two of them would answer with two nonces.
    if (result == link::HelloResult::answered && peers_[peer].node == NodeId{}) name_peer(peer, source);
    take_news(now, peer);
    // A seed that is this very node is not worth dialling.
    if (result == link::HelloResult::own_id && peers_.in_use(peer) && peers_[peer].node == NodeId{}) free_peer(now, peer);
}

void Node::on_session_packet(Instant now, PathId path, wire::PacketReader& reader) {
    const NodeId source{reader.header().source()};
    PeerIndex peer = peers_.find(source);
    if (peer == kNoPeer) peer = peers_.find_unnamed(path);
    if (peer == kNoPeer) {
        counters_.add(Counter::packets_unknown_source);
        return;
    }
    link::Link& each = link_of(peer);
    const bool accepted = each.accept(now, path, reader.header());
    take_news(now, peer);  // the first packet of a session may be what opens it
    if (!accepted || !each.session_open()) return;
    detector_.heard(now, peer);
    bool ack_eliciting = false;
    for (wire::Record record; reader.next(record);) {
        if (each.on_record(now, record)) continue;
        if (dispatch(now, peer, record)) ack_eliciting = true;
    }
    each.packet_done(now, reader.packet_bytes(), ack_eliciting, true);
    take_news(now, peer);
}

// True where the record elicits an ack.
bool Node::dispatch(Instant now, PeerIndex peer, const wire::Record& record) {
    const link::Link& each = link_of(peer);
    const NodeId from = peers_[peer].node;
    if (record.type == wire::RecordType::heartbeat) {
        detector_.on_heartbeat(now, peer, record);
        return false;
    }
    // What answers asks for no answer, or two nodes would acknowledge each other's acknowledgements.
    if (bus_.on_record(now, peer, record)) return record.type != wire::RecordType::subscriptions_acked;
    // Coordination is for one cluster: not before both sides are bound to it.
    if (each.session_cluster() == ClusterIncarnation{}) return false;
    if (coordinator_ != nullptr && coordinator_->on_record(now, {from, each.peer_storage()}, record)) return false;
    if (record.type == wire::RecordType::voter_set) take_voter_set(now, ledger::VoterSetReader(record));
    if (client_.on_record(now, from, record)) return false;
    static_cast<void>(leases_.on_record(now, from, record));
    return false;
}

void Node::on_path(Instant now, PathId path, const PathUpdate& update) {
    const EntryGuard guard(inside_);
    last_now_ = now;
    peers_.ask_all_again();
    if (update.dial != 0) {
        const PeerIndex peer = peers_.find_dial(update.dial);
        if (peer == kNoPeer) return;
        if (update.state == PathState::down) return peers_.path_down(now, peer);
        PeerSlot& slot = peers_[peer];
        slot.path = path;
        slot.phase = PathPhase::up;
        link_of(peer).dial(now, path);
        return;
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        PeerSlot& slot = peers_[peer];
        if (!slot.in_use || slot.phase != PathPhase::up || slot.path != path) continue;
        if (update.state == PathState::blocked) slot.blocked = true;
        if (update.state == PathState::writable) slot.blocked = false;
        if (update.state != PathState::down) continue;
        links_[i].path_down(now, path);
        peers_.path_down(now, peer);
        take_news(now, peer);
    }
    advance(now);
}

// ---- Packets out ----------------------------------------------------------------------------------------------------

bool Node::wants_to_send(Instant now, PeerIndex peer) const {
    const link::Link& each = link_of(peer);
    if (each.wants_to_send(now) || detector_.wants_to_send(now, peer)) return true;
    if (each.may_elicit() && bus_.wants_to_send(now, peer)) return true;
    if (each.session_cluster() == ClusterIncarnation{}) return false;
    const NodeId to = peers_[peer].node;
    if (peers_[peer].members_owed) return true;
    return (coordinator_ != nullptr && coordinator_->wants_to_send(to)) || client_.wants_to_send(to) || leases_.wants_to_send(to);
}

// Sources in order of priority: what coordinates first, messages last.
std::size_t Node::fill_packet(Instant now, PeerIndex peer, std::span<std::byte> buffer) {
    link::Link& each = link_of(peer);
    wire::PacketWriter writer = each.begin_packet(buffer);
    const NodeId to = peers_[peer].node;
    const bool bound = each.session_cluster() != ClusterIncarnation{};
    if (bound && coordinator_ != nullptr) {
        if (peers_[peer].members_owed) coordinator_->owe_voters(to);
        peers_[peer].members_owed = false;
        coordinator_->write_records(now, to, writer);
    }
    if (bound) {
        client_.write_records(now, to, writer);
        leases_.write_records(now, to, writer);
    }
    detector_.write_records(now, peer, writer);
    each.write_control(now, writer);
    const bool advertised = each.may_elicit() && bus_.wants_to_send(now, peer) && bus_.write_records(now, peer, writer);
    each.write_lane(now, writer);
    return each.finish_packet(now, writer, advertised);
}

Transmit Node::packet_of(Instant now, PeerIndex peer, std::span<std::byte> buffer) {
    link::Link& each = link_of(peer);
    Transmit transmit;
    transmit.bytes = each.write_handshake(now, buffer, transmit.path);
    if (transmit.bytes != 0) return transmit;
    transmit.bytes = each.write_size_probe(now, buffer, transmit.path);
    transmit.size_probe = transmit.bytes != 0;
    if (transmit.size_probe || !each.session_open() || !wants_to_send(now, peer)) return transmit;
    transmit.path = each.session_path();
    transmit.bytes = fill_packet(now, peer, buffer);
    take_news(now, peer);  // a goodbye that left closes the session
    return transmit;
}

std::optional<Transmit> Node::poll_transmit(Instant now, std::span<std::byte> buffer) {
    const EntryGuard guard(inside_);
    if (state_ != RunState::ready && state_ != RunState::draining) return std::nullopt;
    note_durable(now);
    if (peers_.all_to_be_asked() || now >= nothing_until_) {
        peers_.begin_round();
        nothing_until_ = now + Duration{1};  // next_deadline() may know better
    }
    for (std::size_t n = 0; n < links_.size(); ++n) {
        const PeerIndex peer = next_to_send_;
        if (peers_.in_use(peer) && !peers_[peer].blocked && peers_.needs_asking(peer)) {
            const Transmit transmit = packet_of(now, peer, buffer);
            if (transmit.bytes != 0) {
                counters_.add(Counter::packets_sent);
                counters_.add(Counter::bytes_sent, static_cast<std::uint32_t>(transmit.bytes));
                return transmit;
            }
            peers_.note_nothing(peer);
        }
        next_to_send_ = PeerIndex{static_cast<std::uint16_t>(peer.value() + 1U == links_.size() ? 0 : peer.value() + 1U)};
    }
    return std::nullopt;
}

std::optional<Dial> Node::poll_connect() {
    const EntryGuard guard(inside_);
    if (state_ != RunState::ready) return std::nullopt;
    return peers_.poll_dial(last_now_);
}

}  // namespace dunlin
