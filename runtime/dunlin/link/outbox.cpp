#include <dunlin/core/assert.hpp>
#include <dunlin/link/lane_scheduler.hpp>
#include <dunlin/link/outbox.hpp>

namespace dunlin::link {

Outbox::Outbox(const OutboxStorage& storage)
    : blocks_(storage.block_bytes, storage.block_links, storage.bytes_per_block),
      messages_(storage.messages),
      deliveries_(storage.deliveries) {}

std::uint16_t Outbox::store(const OutboxPut& put, std::size_t payload_bytes) {
    std::array<std::byte, kBlocksBytesMax> prefix;
    const std::span<const std::byte> blocks = encode(put.blocks, prefix);
    if (!put.write) return blocks_.store(blocks, put.payload);
    const std::uint16_t chain = blocks_.reserve(blocks.size() + payload_bytes);
    if (chain == kNoBlock) return kNoBlock;
    blocks_.write(chain, 0, blocks);
    std::size_t at = 0;
    blocks_.visit(chain, blocks.size(), payload_bytes, [&](std::span<std::byte> piece) {
        put.write(piece, at);
        at += piece.size();
    });
    return chain;
}

Result<std::uint16_t> Outbox::put(const OutboxPut& put) {
    const std::size_t payload_bytes = put.write ? put.write_bytes : put.payload.size();
    DUNLIN_ASSERT(payload_bytes <= 0xffff);
    if (messages_.full()) return Status::outbox_full;
    const std::uint16_t chain = store(put, payload_bytes);
    if (chain == kNoBlock) return Status::outbox_full;
    const std::uint16_t index = messages_.take();
    OutboxMessage& message = messages_[index];
    message.id = put.id == PublishId{} ? next_id_ : put.id;
    message.expires = put.expires;
    message.chain = chain;
    message.payload_bytes = static_cast<std::uint16_t>(payload_bytes);
    message.topic = put.topic;
    message.fenced = put.blocks.fenced;
    message.keyed = put.blocks.keyed;
    if (message.id >= next_id_) next_id_ = message.id.next();
    return index;
}

Result<std::uint16_t> Outbox::add_delivery(std::uint16_t message, PeerIndex peer, NodeId node, SubscriptionId subscription) {
    const std::uint16_t index = deliveries_.take();
    if (index == kNoSlot) return Status::outbox_full;
    OutboxMessage& owner = messages_[message];
    Delivery& delivery = deliveries_[index];
    delivery.subscription = subscription;
    delivery.node = node;
    delivery.peer = peer;
    delivery.message = message;
    delivery.sibling = owner.deliveries;
    owner.deliveries = index;
    ++owner.unresolved;
    ++owner.unpolled;
    return index;
}

void Outbox::abandon(std::uint16_t message) {
    OutboxMessage& owner = messages_[message];
    DUNLIN_ASSERT(owner.unresolved == owner.unpolled);
    for (std::uint16_t i = owner.deliveries; i != kNoSlot;) {
        DUNLIN_ASSERT(deliveries_[i].state == DeliveryState::idle);
        const std::uint16_t next = deliveries_[i].sibling;
        deliveries_.release(i);
        i = next;
    }
    blocks_.release(owner.chain);
    messages_.release(message);
}

void Outbox::resolve(std::uint16_t delivery, Outcome outcome, Effect effect) {
    Delivery& ended = deliveries_[delivery];
    DUNLIN_ASSERT(ended.state != DeliveryState::resolved && outcome != Outcome::none);
    ended.state = DeliveryState::resolved;
    ended.outcome = outcome;
    ended.effect = effect;
    ended.next = kNoSlot;
    if (resolved_tail_ == kNoSlot) {
        resolved_head_ = delivery;
    } else {
        deliveries_[resolved_tail_].next = delivery;
    }
    resolved_tail_ = delivery;
    ++ended_;
    release_bytes(messages_[ended.message]);
}

void Outbox::drop(std::uint16_t delivery) {
    if (deliveries_[delivery].state == DeliveryState::resolved) {
        unlink_outcome(delivery);
        ++polled_;
    } else {
        release_bytes(messages_[deliveries_[delivery].message]);
    }
    (void)release_delivery(delivery);
}

void Outbox::unlink_outcome(std::uint16_t delivery) {
    std::uint16_t previous = kNoSlot;
    for (std::uint16_t i = resolved_head_; i != delivery; i = deliveries_[i].next) previous = i;
    const std::uint16_t next = deliveries_[delivery].next;
    (previous == kNoSlot ? resolved_head_ : deliveries_[previous].next) = next;
    if (resolved_tail_ == delivery) resolved_tail_ = previous;
}

bool Outbox::poll(OutcomeReport& report) {
    if (!has_outcome()) return false;
    const std::uint16_t index = resolved_head_;
    const Delivery& ended = deliveries_[index];
    resolved_head_ = ended.next;
    if (resolved_head_ == kNoSlot) resolved_tail_ = kNoSlot;
    ++polled_;
    report = {.id = messages_[ended.message].id,
              .subscription = ended.subscription,
              .node = ended.node,
              .outcome = ended.outcome,
              .effect = ended.effect};
    report.last = release_delivery(index);
    return true;
}

// One delivery fewer needs the payload. (In recovery one may be added and ended when all before it have ended too.)
void Outbox::release_bytes(OutboxMessage& message) {
    DUNLIN_ASSERT(message.unresolved > 0);
    --message.unresolved;
    if (message.unresolved > 0 || message.chain == kNoBlock) return;
    blocks_.release(message.chain);
    message.chain = kNoBlock;
}

// True: it was the last of its message, which is freed.
bool Outbox::release_delivery(std::uint16_t index) {
    const std::uint16_t message_index = deliveries_[index].message;
    OutboxMessage& owner = messages_[message_index];
    std::uint16_t* link = &owner.deliveries;
    while (*link != index) link = &deliveries_[*link].sibling;
    *link = deliveries_[index].sibling;
    deliveries_.release(index);
    --owner.unpolled;
    if (owner.unpolled > 0) return false;
    messages_.release(message_index);
    return true;
}

bool Outbox::leaves_room(Lane lane, std::size_t lanes) const {
    const auto leaves = [&](std::size_t free, std::size_t capacity) {
        return LaneScheduler::leaves_room(lane, lanes, free, capacity, messages_.size() == 0);
    };
    return leaves(blocks_.free_blocks(), blocks_.capacity()) && leaves(messages_.capacity() - messages_.size(), messages_.capacity()) &&
           leaves(deliveries_.capacity() - deliveries_.size(), deliveries_.capacity());
}

void Outbox::load_payload(std::uint16_t message, std::size_t offset, std::span<std::byte> out) const {
    const OutboxMessage& stored = messages_[message];
    blocks_.load(stored.chain, offset + blocks_bytes(stored.fenced, stored.keyed), out);
}

MessageBlocks Outbox::load_blocks(std::uint16_t message) const {
    const OutboxMessage& stored = messages_[message];
    std::array<std::byte, kBlocksBytesMax> prefix{};
    blocks_.load(stored.chain, 0, std::span(prefix).first(blocks_bytes(stored.fenced, stored.keyed)));
    std::span<const std::byte> bytes(prefix);
    return take_blocks(bytes, stored.fenced, stored.keyed);
}

}  // namespace dunlin::link
