#include <dunlin/bus/outbox_log.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dunlin::bus {

namespace {

constexpr std::size_t kTopicBytesLimit = 256;

OutboxDoneRecord told_record(const link::OutcomeReport& report) {
    return {
        .publish = report.id.value(), .subscription = report.subscription.value(), .node = report.node.value(), .outcome = 0, .effect = 0};
}

}  // namespace

OutboxLog::OutboxLog(const BusShared& shared, TopicTable& topics, std::span<std::byte> scratch)
    : shared_(&shared), topics_(&topics), scratch_(scratch) {
    if (shared.journal != nullptr) shared.outbox.keep(0);
}

const link::OutboxMessage& OutboxLog::message_at(std::uint16_t index) const { return std::as_const(shared_->outbox).message(index); }
const link::Delivery& OutboxLog::delivery_at(std::uint16_t index) const { return std::as_const(shared_->outbox).delivery(index); }

// ---- Publishing -------------------------------------------------------------------------------------------------------

Status OutboxLog::append(Instant now, std::uint16_t message, const PublishOptions& options) {
    if (shared_->journal == nullptr) return Status::ok;
    if (const Status status = note_outcomes(); status != Status::ok) return status;
    const std::size_t payload_bytes = message_at(message).payload_bytes;
    auto begin_batch = [this, message, payload_bytes](journal::RecordKind kind, std::span<const std::byte> first,
                                                      std::span<const std::byte>) {
        std::span<std::byte> payload;
        const Status status = shared_->journal->append_open(kind, first, payload_bytes, payload, true).status();
        if (status == Status::ok) shared_->outbox.load_payload(message, 0, payload);
        return status;
    };
    const Status begun = write_put(now, message, payload_bytes, {}, options.position, EmitRecord::of(begin_batch));
    if (begun != Status::ok) return begun;
    std::uint16_t delivery = next_delivery(message, Sequence{}, 0);
    while (true) {
        DUNLIN_ASSERT(delivery != kNoSlot);
        const OutboxDeliveryRecord record = delivery_record(delivery);
        delivery = next_delivery(message, lane_order(delivery), static_cast<std::uint16_t>(delivery + 1));
        const bool more = delivery != kNoSlot;
        const Result<JournalSequence> appended = shared_->journal->append(journal::RecordKind::outbox_delivery, bytes_of(record), {}, more);
        if (!appended.ok()) return appended.status();
        if (more) continue;
        shared_->outbox.set_gate(message, appended.value());
        return Status::ok;
    }
}

Status OutboxLog::write_put(Instant now, std::uint16_t message, std::size_t payload_bytes, std::span<const std::byte> payload,
                            std::optional<std::uint64_t> position, const EmitRecord& emit) const {
    const link::OutboxMessage& put = message_at(message);
    const std::string_view topic = topics_->name(put.topic);
    const link::MessageBlocks blocks = put.unresolved > 0 ? shared_->outbox.load_blocks(message) : link::MessageBlocks{};
    const Duration remaining = put.expires == kNever ? Duration{} : std::max(put.expires - now, Duration{1});
    const auto fenced = static_cast<std::uint16_t>(put.fenced ? kPutFenced : 0);
    const auto keyed = static_cast<std::uint16_t>(blocks.keyed ? kPutKeyed : 0);
    const auto positioned = static_cast<std::uint16_t>(position ? kPutPosition : 0);
    const OutboxPutRecord head{.publish = put.id.value(),
                               .lease = blocks.lease.value(),
                               .token = blocks.token.value(),
                               .position = position.value_or(0),
                               .lifetime_us = to_us(remaining),
                               .payload_bytes = static_cast<std::uint32_t>(payload_bytes),
                               .topic_bytes = static_cast<std::uint16_t>(topic.size()),
                               .flags = static_cast<std::uint16_t>(fenced | positioned | keyed)};
    std::array<std::byte, sizeof head + kTopicBytesLimit + sizeof(wire::KeyBlock)> first;
    DUNLIN_ASSERT(topic.size() <= kTopicBytesLimit);
    std::span<std::byte> rest(first);
    dunlin::put(rest, head);
    std::memcpy(rest.data(), topic.data(), topic.size());
    rest = rest.subspan(topic.size());
    if (blocks.keyed) dunlin::put(rest, wire::KeyBlock(blocks.key.high, blocks.key.low, blocks.key_lifetime_ms, 0));
    return emit(journal::RecordKind::outbox_put, std::span(first).first(first.size() - rest.size()), payload);
}

OutboxDeliveryRecord OutboxLog::delivery_record(std::uint16_t index) const {
    const link::Delivery& delivery = delivery_at(index);
    const bool open = delivery.outcome == Outcome::none;
    return {.publish = message_at(delivery.message).id.value(),
            .sequence = open ? lane_order(index).value() : 0,
            .epoch = open ? shared_->peers[delivery.peer.value()].epoch.value() : 0,  // another peer may have the slot of one that ended
            .subscription = delivery.subscription.value(),
            .node = delivery.node.value(),
            .outcome = static_cast<std::uint8_t>(delivery.outcome),
            .effect = static_cast<std::uint8_t>(delivery.effect),
            .lane = static_cast<std::uint32_t>(index_of(delivery.lane))};
}

// Its sequence; above all of them where it has left its lane. So recovery has every delivery that needs the payload before
// it hears of one that ended.
Sequence OutboxLog::lane_order(std::uint16_t index) const {
    const link::Delivery& delivery = delivery_at(index);
    if (delivery.state == link::DeliveryState::resolved) return Sequence{~std::uint64_t{0}};
    return shared_->links(delivery.peer)->sender(delivery.lane).sequence_of(index);
}

// The delivery of the message with the lowest (sequence, slot) that is not below the given one.
std::uint16_t OutboxLog::next_delivery(std::uint16_t message, Sequence from, std::uint16_t from_slot) const {
    std::uint16_t best = kNoSlot;
    Sequence best_order{};
    for (std::uint16_t i = message_at(message).deliveries; i != kNoSlot; i = delivery_at(i).sibling) {
        const Sequence order = lane_order(i);
        if (order < from || (order == from && i < from_slot)) continue;
        if (best != kNoSlot && (order > best_order || (order == best_order && i > best))) continue;
        best = i;
        best_order = order;
    }
    return best;
}

// ---- Outcomes ---------------------------------------------------------------------------------------------------------

bool OutboxLog::poll(link::OutcomeReport& report) {
    if (shared_->journal == nullptr) return shared_->outbox.poll(report);
    // A checkpoint walks the deliveries: none may go away meanwhile.
    if (shared_->journal->checkpointing()) return false;
    if (!shared_->outbox.has_outcome() || told_count_ == kNotesMax) {
        if (flush_told() != Status::ok) return false;
    }
    if (!shared_->outbox.poll(report)) return false;
    told_[told_count_++] = told_record(report);
    return true;
}

Status OutboxLog::append_notes(std::span<const OutboxDoneRecord> notes) {
    if (notes.empty()) return Status::ok;
    return shared_->journal->append(journal::RecordKind::outbox_done, std::as_bytes(notes)).status();
}

Status OutboxLog::flush_told() {
    const Status status = append_notes(std::span(told_).first(told_count_));
    if (status == Status::ok) told_count_ = 0;
    return status;
}

// Writes every outcome that was told or is known.
Status OutboxLog::note_outcomes() {
    if (const Status status = flush_told(); status != Status::ok) return status;
    const link::Outbox& outbox = shared_->outbox;
    std::uint16_t next = outbox.first_outcome();
    noted_ = std::max(noted_, outbox.polled());  // those that were dropped in recovery had been written
    for (std::uint64_t skipped = outbox.polled(); skipped < noted_; ++skipped) next = delivery_at(next).next;
    while (next != kNoSlot) {
        std::array<OutboxDoneRecord, kNotesMax> notes{};
        std::uint16_t count = 0;
        for (; next != kNoSlot && count < kNotesMax; next = delivery_at(next).next) {
            const link::Delivery& delivery = delivery_at(next);
            notes[count++] = {.publish = message_at(delivery.message).id.value(),
                              .subscription = delivery.subscription.value(),
                              .node = delivery.node.value(),
                              .outcome = static_cast<std::uint8_t>(delivery.outcome),
                              .effect = static_cast<std::uint8_t>(delivery.effect)};
        }
        if (const Status status = append_notes(std::span(notes).first(count)); status != Status::ok) return status;
        noted_ += count;
    }
    return Status::ok;
}

void OutboxLog::store_outcomes() {
    if (shared_->journal == nullptr || gated_ > shared_->outbox.kept()) return;
    if (noted_ < shared_->outbox.ended()) (void)note_outcomes();
    if (noted_ == gated_) return;
    wait_for_notes();
    on_durable();  // nothing may have been left to write
}

// Those written since wait for the next round: else, with outcomes all the time, the gate would move on for ever.
void OutboxLog::wait_for_notes() {
    gated_ = noted_;
    gate_ = shared_->journal->appended();
}

void OutboxLog::on_durable() {
    if (shared_->journal == nullptr || shared_->journal->durable() < gate_) return;
    shared_->outbox.keep(gated_);
    if (noted_ > gated_) wait_for_notes();
}

// ---- Checkpoint -------------------------------------------------------------------------------------------------------

std::uint16_t OutboxLog::next_message(PublishId after, bool resolved) const {
    std::uint16_t best = kNoSlot;
    const link::Outbox& outbox = shared_->outbox;
    for (std::uint16_t i = 0; i < outbox.message_capacity(); ++i) {
        if (!outbox.message_taken(i) || message_at(i).id <= after) continue;
        if (resolved && message_at(i).unresolved > 0) continue;
        if (best == kNoSlot || message_at(i).id < message_at(best).id) best = i;
    }
    return best;
}

// First the messages that need no bytes any more, so that recovery has room for them, then all (again: harmless, and some
// were resolved in between), oldest first, since lanes are restored in order.
Status OutboxLog::emit_live(Instant now, EmitCursor& cursor, const EmitRecord& emit) {
    for (; cursor.stage < 2; ++cursor.stage, cursor.publish = {}) {
        while (true) {
            const std::uint16_t message =
                cursor.in_message ? find_message(cursor.publish) : next_message(cursor.publish, cursor.stage == 0);
            if (message == kNoSlot) break;
            if (const Status status = emit_message(now, message, cursor, emit); status != Status::ok) return status;
        }
    }
    return emit_lanes(cursor, emit);
}

Status OutboxLog::emit_lanes(EmitCursor& cursor, const EmitRecord& emit) const {
    for (; cursor.index < shared_->peers.size() * kLanesMax; ++cursor.index) {
        const link::Link* const link = shared_->links(PeerIndex{static_cast<std::uint16_t>(cursor.index / kLanesMax)});
        const std::size_t number = cursor.index % kLanesMax;
        if (link == nullptr || !link->has_lane(number)) continue;
        const link::LaneSender& lane = link->sender(static_cast<Lane>(number));
        if (lane.first() == lane.next()) continue;  // an idle lane starts afresh
        const LaneNextRecord record{
            .next = lane.next().value(), .node = link->peer_id().value(), .lane = static_cast<std::uint16_t>(number), .reserved = 0};
        if (const Status status = emit(journal::RecordKind::lane_next, bytes_of(record), {}); status != Status::ok) return status;
    }
    cursor.index = 0;
    cursor.stage = kStages;
    return Status::ok;
}

Status OutboxLog::emit_message(Instant now, std::uint16_t message, EmitCursor& cursor, const EmitRecord& emit) const {
    const link::OutboxMessage& put = message_at(message);
    if (!cursor.in_message) {
        const std::span<std::byte> payload = scratch_.first(put.unresolved > 0 ? put.payload_bytes : 0);
        if (!payload.empty()) shared_->outbox.load_payload(message, 0, payload);
        if (const Status status = write_put(now, message, payload.size(), payload, std::nullopt, emit); status != Status::ok) return status;
        cursor.publish = put.id;
        cursor.in_message = true;
        cursor.unresolved = kNoSlot;
    }
    if (cursor.unresolved != put.unresolved) {  // new, or the order has changed since the last call
        cursor.unresolved = put.unresolved;
        cursor.sequence = {};
        cursor.slot = 0;
    }
    return emit_deliveries(message, cursor, emit);
}

Status OutboxLog::emit_deliveries(std::uint16_t message, EmitCursor& cursor, const EmitRecord& emit) const {
    while (true) {
        const std::uint16_t delivery = next_delivery(message, cursor.sequence, cursor.slot);
        if (delivery == kNoSlot) break;
        const OutboxDeliveryRecord record = delivery_record(delivery);
        const Status status = emit(journal::RecordKind::outbox_delivery, bytes_of(record), {});
        if (status != Status::ok) return status;
        cursor.sequence = lane_order(delivery);
        cursor.slot = static_cast<std::uint16_t>(delivery + 1);
    }
    cursor.in_message = false;
    return Status::ok;
}

// ---- Recovery ---------------------------------------------------------------------------------------------------------

Status OutboxLog::replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes, std::uint64_t& position) {
    switch (kind) {
        case journal::RecordKind::outbox_put: return replay_put(now, bytes, position);
        case journal::RecordKind::outbox_delivery: return replay_delivery(now, bytes);
        case journal::RecordKind::outbox_done: return replay_done(bytes);
        case journal::RecordKind::lane_next: return replay_lane(bytes);
        default: return Status::ok;
    }
}

Status OutboxLog::replay_put(Instant now, std::span<const std::byte> bytes, std::uint64_t& position) {
    OutboxPutRecord head{};
    const bool whole = take(bytes, head);
    const bool keyed = (head.flags & kPutKeyed) != 0;
    const std::uint64_t key_bytes = keyed ? sizeof(wire::KeyBlock) : 0;
    if (!whole || bytes.size() != head.topic_bytes + key_bytes + head.payload_bytes) return Status::corrupt;
    if (head.topic_bytes == 0 || head.lifetime_us < 0) return Status::corrupt;
    if (head.topic_bytes > topics_->bytes_max() || head.payload_bytes > shared_->message_bytes_max) return Status::too_large;
    if ((head.flags & kPutPosition) != 0) position = head.position;
    if (find_message(PublishId{head.publish}) != kNoSlot) return Status::ok;
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()), head.topic_bytes);
    const Result<TopicIndex> topic = recover_topic(name);
    if (!topic.ok()) return topic.status();
    bytes = bytes.subspan(head.topic_bytes);
    link::MessageBlocks blocks = link::take_blocks(bytes, false, keyed);
    blocks.fenced = (head.flags & kPutFenced) != 0;
    blocks.lease = LeaseKey{head.lease};
    blocks.token = Token{head.token};
    const link::OutboxPut put{.id = PublishId{head.publish},
                              .expires = head.lifetime_us == 0 ? kNever : saturating_add(now, from_us(head.lifetime_us)),
                              .blocks = blocks,
                              .topic = topic.value(),
                              .payload = bytes};
    return shared_->outbox.put(put).status();
}

Status OutboxLog::replay_delivery(Instant now, std::span<const std::byte> bytes) {
    OutboxDeliveryRecord record{};
    if (!take(bytes, record) || !bytes.empty()) return Status::corrupt;
    const std::uint16_t message = find_message(PublishId{record.publish});
    if (message == kNoSlot) return Status::corrupt;
    const PeerIndex peer = shared_->assign_peer(NodeId{record.node});
    if (peer == kNoPeer) return Status::table_full;
    const SubscriptionId subscription{record.subscription};
    const BootEpoch epoch{record.epoch};
    note_epoch(peer, epoch);
    std::uint16_t delivery = find_delivery(message, NodeId{record.node}, subscription);
    const bool repeated = delivery != kNoSlot;
    if (!repeated) {
        const Result<std::uint16_t> added = shared_->outbox.add_delivery(message, peer, NodeId{record.node}, subscription);
        if (!added.ok()) return added.status();
        delivery = added.value();
    }
    if (record.outcome != 0) {
        resolve(delivery, static_cast<Outcome>(record.outcome), static_cast<Effect>(record.effect));
    } else if (!is_durable(subscription) && epoch < shared_->peers[peer.value()].epoch) {
        resolve(delivery, Outcome::subscriber_gone, Effect::unknown);
    } else if (!repeated) {
        if (record.lane >= kLanesMax) return Status::corrupt;
        const Status status = shared_->links(peer)->restore(now, delivery, static_cast<Lane>(record.lane), Sequence{record.sequence});
        return status == Status::busy ? Status::outbox_full : status;
    }
    return Status::ok;
}

Status OutboxLog::replay_done(std::span<const std::byte> bytes) {
    if (bytes.size() % sizeof(OutboxDoneRecord) != 0) return Status::corrupt;
    for (OutboxDoneRecord record{}; take(bytes, record);) {
        const std::uint16_t message = find_message(PublishId{record.publish});
        if (message == kNoSlot) continue;  // the checkpoint since then has left it out
        const std::uint16_t delivery = find_delivery(message, NodeId{record.node}, SubscriptionId{record.subscription});
        if (delivery == kNoSlot) continue;
        if (record.outcome != 0) {
            resolve(delivery, static_cast<Outcome>(record.outcome), static_cast<Effect>(record.effect));
        } else {
            leave_lane(delivery);
            shared_->outbox.drop(delivery);
        }
    }
    return Status::ok;
}

Status OutboxLog::replay_lane(std::span<const std::byte> bytes) {
    LaneNextRecord record{};
    if (!take(bytes, record) || record.next == 0 || record.lane >= kLanesMax) return Status::corrupt;
    const PeerIndex peer = shared_->assign_peer(NodeId{record.node});
    if (peer == kNoPeer) return Status::table_full;
    link::Link& link = *shared_->links(peer);
    if (!link.has_lane(record.lane)) return Status::table_full;
    return link.sender(static_cast<Lane>(record.lane)).restore_next(Sequence{record.next}) == Status::ok ? Status::ok : Status::outbox_full;
}

void OutboxLog::resolve(std::uint16_t delivery, Outcome outcome, Effect effect) {
    if (delivery_at(delivery).state == link::DeliveryState::resolved) return;
    leave_lane(delivery);
    shared_->outbox.resolve(delivery, outcome, effect);
}

void OutboxLog::leave_lane(std::uint16_t index) {
    const link::Delivery& delivery = delivery_at(index);
    const bool in_lane = delivery.state != link::DeliveryState::idle && delivery.state != link::DeliveryState::resolved;
    if (in_lane) shared_->links(delivery.peer)->sender(delivery.lane).remove(index);
}

void OutboxLog::note_epoch(PeerIndex index, BootEpoch epoch) {
    BusPeer& peer = shared_->peers[index.value()];
    if (epoch <= peer.epoch) return;
    if (peer.epoch != BootEpoch{}) shared_->links(index)->end_volatile_deliveries();
    peer.epoch = epoch;
}

std::uint16_t OutboxLog::find_message(PublishId publish) {
    const link::Outbox& outbox = shared_->outbox;
    const std::uint16_t capacity = outbox.message_capacity();
    for (std::uint16_t step = 0; step < capacity; ++step) {
        const auto i = static_cast<std::uint16_t>((std::uint32_t{found_} + step) % capacity);
        if (!outbox.message_taken(i) || message_at(i).id != publish) continue;
        found_ = i;
        return i;
    }
    return kNoSlot;
}

std::uint16_t OutboxLog::find_delivery(std::uint16_t message, NodeId node, SubscriptionId subscription) const {
    std::uint16_t i = message_at(message).deliveries;
    while (i != kNoSlot && (delivery_at(i).node != node || delivery_at(i).subscription != subscription)) { i = delivery_at(i).sibling; }
    return i;
}

// Names of earlier processes may fill the table; those that no message carries are of no use any more.
Result<TopicIndex> OutboxLog::recover_topic(std::string_view name) {
    TopicIndex topic = topics_->intern(name);
    if (topic != kNoTopic) return topic;
    const link::Outbox& outbox = shared_->outbox;
    for (std::uint16_t i = 0; i < topics_->capacity(); ++i) {
        bool used = false;
        for (std::uint16_t m = 0; m < outbox.message_capacity() && !used; ++m) {
            used = outbox.message_taken(m) && message_at(m).topic == TopicIndex{i};
        }
        if (!used) topics_->forget(TopicIndex{i});
    }
    topic = topics_->intern(name);
    if (topic == kNoTopic) return Status::table_full;
    return topic;
}

}  // namespace dunlin::bus
