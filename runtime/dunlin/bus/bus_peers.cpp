// The part of Bus that follows its peers: their sessions and what they listen to.
#include <dunlin/bus/bus.hpp>
#include <dunlin/bus/filter.hpp>
#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>

namespace dunlin::bus {

void Bus::session_opened(PeerIndex index) {
    BusPeer& peer = shared_.peers[index.value()];
    const link::Link* const link = shared_.links(index);
    DUNLIN_ASSERT(link != nullptr && link->peer_id() != NodeId{});
    peer.node = link->peer_id();
    log_.note_epoch(index, link->peer_epoch());
    peer.open = true;
    peer.seen = 0;
    peer.refused_before_mark = 0;
    peer.refused_since_mark = 0;
    peer.owes_ack = false;
    peer.stalled = kNever;
    for (RemoteSubscription& row : remote_.rows()) {
        if (row.node == peer.node) row.confirmed = false;
    }
    advertiser_.session_opened(index);
}

void Bus::session_closed(PeerIndex index) { shared_.peers[index.value()].open = false; }

void Bus::peer_ended(PeerIndex index) {
    for (RemoteSubscription& row : remote_.rows()) {
        if (row.id != SubscriptionId{} && row.peer == index && !is_durable(row.id)) forget(row);
    }
}

bool Bus::peer_needed(PeerIndex index) const {
    const link::Link* const link = shared_.links(index);
    if (link != nullptr && link->owes_messages()) return true;
    for (const RemoteSubscription& row : remote_.rows()) {
        if (row.id != SubscriptionId{} && row.peer == index && is_durable(row.id)) return true;
    }
    return false;
}

void Bus::peer_freed(PeerIndex index) {
    DUNLIN_ASSERT(!peer_needed(index));
    peer_ended(index);
    shared_.peers[index.value()] = BusPeer{};
}

bool Bus::on_record(Instant now, PeerIndex index, const wire::Record& record) {
    BusPeer& peer = shared_.peers[index.value()];
    if (record.type == wire::RecordType::subscriptions_acked) {
        const auto acked = record.as<wire::SubscriptionsAcked>();
        advertiser_.on_acked(now, index, acked.generation(), acked.refused());
        return true;
    }
    const bool subscribes = record.type == wire::RecordType::subscribe;
    if (!subscribes && record.type != wire::RecordType::unsubscribe) return false;
    if (!peer.open || peer.stalled == now) return true;
    const std::uint32_t generation = record.as<wire::Unsubscribe>().generation();  // the same place in both
    peer.owes_ack = true;
    if (generation <= peer.seen) return true;
    if ((subscribes ? take_subscribe(index, record) : take_unsubscribe(index, record)) == Status::ok) {
        peer.seen = generation;
    } else {
        peer.stalled = now;  // this one must not be acknowledged, and so none that follows it in this packet
    }
    return true;
}

// ok: taken care of, whatever that was. Otherwise the journal has no room: the peer is to say it again.
Status Bus::take_subscribe(PeerIndex index, const wire::Record& record) {
    BusPeer& peer = shared_.peers[index.value()];
    const SubscriptionId id{record.as<wire::Subscribe>().subscription()};
    const std::string_view filter(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
    if (id == SubscriptionId{} || !valid_filter(filter, filter.size())) {
        shared_.counters.add(Counter::records_malformed);
        return Status::ok;
    }
    RemoteSubscription* const known = remote_.find(peer.node, id);
    if (known != nullptr && remote_.filter(*known) == filter) {
        known->confirmed = true;
        return Status::ok;
    }
    if (filter.size() > remote_.filter_bytes_max() || (known == nullptr && remote_.full())) {
        ++peer.refused_since_mark;
        shared_.counters.add(Counter::remote_subscriptions_full);
        return Status::ok;
    }
    if (shared_.journal != nullptr && is_durable(id)) {
        const RemoteSubscriptionRecord head{
            .subscription = id.value(), .node = peer.node.value(), .filter_bytes = static_cast<std::uint16_t>(filter.size())};
        const Status status = shared_.journal->append(journal::RecordKind::remote_subscription, bytes_of(head), record.bytes).status();
        if (status != Status::ok) return status;
    }
    const RemoteSubscriptions::Change change = remote_.put(peer.node, index, id, filter);
    if (change == RemoteSubscriptions::Change::added) { tell(EventKind::subscribed, peer.node, id); }
    return Status::ok;
}

Status Bus::take_unsubscribe(PeerIndex index, const wire::Record& record) {
    const SubscriptionId id{record.as<wire::Unsubscribe>().subscription()};
    if (id == SubscriptionId{}) {
        end_of_table(index);
        return Status::ok;
    }
    RemoteSubscription* const row = remote_.find(shared_.peers[index.value()].node, id);
    if (row == nullptr) return Status::ok;
    if (shared_.journal != nullptr && is_durable(id)) {
        const RemoteSubscriptionRemovedRecord removed{.subscription = id.value(), .node = row->node.value(), .reserved = 0};
        const Status status = shared_.journal->append(journal::RecordKind::remote_subscription_removed, bytes_of(removed)).status();
        if (status != Status::ok) return status;
    }
    shared_.links(index)->subscription_gone(id);
    forget(*row);
    return Status::ok;
}

// What the peer did not state in this session has ended, but for durable subscriptions: those end when they are removed.
void Bus::end_of_table(PeerIndex index) {
    BusPeer& peer = shared_.peers[index.value()];
    peer.refused_before_mark = peer.refused_since_mark;
    peer.refused_since_mark = 0;
    for (RemoteSubscription& row : remote_.rows()) {
        if (row.id == SubscriptionId{} || row.peer != index || row.confirmed || is_durable(row.id)) continue;
        shared_.links(index)->subscription_gone(row.id);
        forget(row);
    }
}

void Bus::tell(EventKind kind, NodeId node, SubscriptionId subscription) {
    Event event{.kind = kind};
    event.node = node;
    event.subscription = subscription;
    shared_.events.push(event);
}

void Bus::forget(RemoteSubscription& row) {
    tell(EventKind::unsubscribed, row.node, row.id);
    remote_.remove(row);
}

// ---- Journal ----------------------------------------------------------------------------------------------------------

Status Bus::replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes) {
    switch (kind) {
        case journal::RecordKind::fence_floor: return fences_.replay(bytes);
        case journal::RecordKind::explicit_key: return keys_.replay(now, bytes);
        case journal::RecordKind::position: return replay_position(bytes);
        case journal::RecordKind::remote_subscription: return replay_remote(bytes);
        case journal::RecordKind::remote_subscription_removed: return replay_removed(bytes);
        default: return log_.replay(now, kind, bytes, publish_position_);
    }
}

Status Bus::replay_position(std::span<const std::byte> bytes) {
    PositionRecord record{};
    if (!take_all(bytes, record)) return Status::corrupt;
    if (record.slot == static_cast<std::uint64_t>(PositionSlot::publish)) publish_position_ = record.value;
    if (record.slot != static_cast<std::uint64_t>(PositionSlot::receive)) return Status::ok;
    receive_position_ = record.value;
    keys_.confirm();
    return Status::ok;
}

Status Bus::replay_remote(std::span<const std::byte> bytes) {
    RemoteSubscriptionRecord record{};
    if (!take(bytes, record)) return Status::corrupt;
    const std::string_view filter(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (filter.size() != record.filter_bytes || !valid_filter(filter, filter.size())) return Status::corrupt;
    if (filter.size() > remote_.filter_bytes_max()) return Status::too_large;
    const NodeId node{record.node};
    const PeerIndex index = shared_.assign_peer(node);
    if (index == kNoPeer) return Status::table_full;
    shared_.peers[index.value()].node = node;
    const auto change = remote_.put(node, index, SubscriptionId{record.subscription}, filter);
    return change == RemoteSubscriptions::Change::full ? Status::table_full : Status::ok;
}

Status Bus::replay_removed(std::span<const std::byte> bytes) {
    RemoteSubscriptionRemovedRecord record{};
    if (!take_all(bytes, record)) return Status::corrupt;
    RemoteSubscription* const row = remote_.find(NodeId{record.node}, SubscriptionId{record.subscription});
    if (row != nullptr) remote_.remove(*row);
    return Status::ok;
}

Status Bus::store_keys(Instant now) {
    auto append = [this](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
        return shared_.journal->append(kind, first, second).status();
    };
    return keys_.store(now, EmitRecord::of(append));
}

void Bus::thaw_keys() {
    keys_.thaw();
    release_keys();
}

Status Bus::emit_live(Instant now, EmitCursor& cursor, const EmitRecord& emit) {
    constexpr std::uint8_t kOutboxStages = OutboxLog::kStages;
    if (cursor.stage < kOutboxStages) {
        if (const Status status = log_.emit_live(now, cursor, emit); status != Status::ok) return status;
    }
    for (; cursor.stage < kOutboxStages + 4; ++cursor.stage, cursor.index = 0) {
        Status status = Status::ok;
        switch (cursor.stage - kOutboxStages) {
            case 0: status = emit_remote(cursor.index, emit); break;
            case 1: status = emit_position(PositionSlot::publish, publish_position_, emit); break;
            case 2: status = emit_position(PositionSlot::receive, receive_position_, emit); break;
            default: status = fences_.emit_live(cursor.index, emit); break;
        }
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

Status Bus::emit_position(PositionSlot slot, std::uint64_t value, const EmitRecord& emit) {
    return emit(journal::RecordKind::position, bytes_of(position_record(slot, value)), {});
}

Status Bus::emit_remote(std::uint32_t& index, const EmitRecord& emit) const {
    for (; index < remote_.rows().size(); ++index) {
        const RemoteSubscription& row = remote_.rows()[index];
        if (row.id == SubscriptionId{} || !is_durable(row.id)) continue;
        const std::string_view filter = remote_.filter(row);
        const RemoteSubscriptionRecord record{.subscription = row.id.value(), .node = row.node.value(), .filter_bytes = row.filter_bytes};
        const Status status = emit(journal::RecordKind::remote_subscription, bytes_of(record), std::as_bytes(std::span(filter)));
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

}  // namespace dunlin::bus
