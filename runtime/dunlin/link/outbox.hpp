#pragma once

#include <dunlin/core/block_pool.hpp>
#include <dunlin/core/callback.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/slot_pool.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/fragments.hpp>
#include <dunlin/link/message_blocks.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// Writes a payload where it is kept: called once for each piece of it, in order, with its place in the payload. It must write all of
// the piece, and call nothing of the node.
using PayloadWriter = Callback<void(std::span<std::byte> piece, std::size_t offset)>;

// What a publish is.
struct OutboxPut {
    PublishId id{};  // 0: the outbox gives the next one; else as restored from a journal
    Instant expires = kNever;
    MessageBlocks blocks{};
    TopicIndex topic = kNoTopic;
    std::span<const std::byte> payload{};  // copied, where there is no `write`
    std::size_t write_bytes = 0;           // that `write` writes
    PayloadWriter write{};
};

// How one delivery ended: what the application is told, once.
struct OutcomeReport {
    PublishId id{};
    SubscriptionId subscription{};
    NodeId node{};
    Outcome outcome = Outcome::none;
    Effect effect = Effect::none;
    bool last = false;  // of this publish: nothing more will be told of it
};

// One accepted publish. Freed with its last polled outcome.
struct OutboxMessage {
    PublishId id{};
    Instant expires = kNever;
    JournalSequence gate{};           // may leave once this is durable
    std::uint16_t chain = kNoBlock;   // blocks, payload; kNoBlock once every delivery is resolved
    std::uint16_t payload_bytes = 0;  // without the blocks
    TopicIndex topic = kNoTopic;
    std::uint16_t deliveries = kNoSlot;  // newest first, through Delivery::sibling
    std::uint16_t unresolved = 0;
    std::uint16_t unpolled = 0;
    std::uint16_t next = kNoSlot;
    bool taken : 1 = false;
    bool fenced : 1 = false;
    bool keyed : 1 = false;
};

// Bytes of the message as they travel behind its head: blocks, then payload.
[[nodiscard]] constexpr std::size_t stored_bytes(const OutboxMessage& message) {
    return blocks_bytes(message.fenced, message.keyed) + message.payload_bytes;
}

enum class DeliveryState : std::uint8_t {
    idle,       // in no lane (yet)
    queued,     // to be sent, or sent again
    in_flight,  // in a packet whose fate is open
    received,   // the peer has it; the settlement is still to come
    skip_owed,  // given up: the peer is to be asked for its outcome
    skip_sent,  // and was asked
    resolved,   // has its outcome, which waits to be polled
};

// One (publish, remote subscription) pair. Freed when its outcome is polled.
struct Delivery {
    std::uint32_t sequence_low = 0;  // low half of its (first) sequence in its peer's lane
    SubscriptionId subscription{};
    NodeId node{};
    PeerIndex peer = kNoPeer;
    std::uint16_t message = kNoSlot;
    std::uint16_t next = kNoSlot;
    std::uint16_t sibling = kNoSlot;
    DeliveryState state : 4 = DeliveryState::idle;  // of its first fragment; LaneSender knows that of the others
    Outcome outcome : 4 = Outcome::none;
    Effect effect : 1 = Effect::none;
    bool sent : 1 = false;            // a handler may have seen it
    bool maybe_repeated : 1 = false;  // an earlier process of the subscriber may have
    Lane lane : 2 = Lane::normal;     // that it is or was in
    bool counted : 1 = false;         // against its peer's credit
    bool taken : 1 = false;
};
static_assert(sizeof(Delivery) == 20);

struct OutboxStorage {
    std::span<std::byte> block_bytes{};  // links.size() * bytes of a block
    std::span<std::uint16_t> block_links{};
    std::size_t bytes_per_block = 0;
    std::span<OutboxMessage> messages{};
    std::span<Delivery> deliveries{};
};

// What this node has published and not yet told its application the end of: each payload once, one delivery for each
// subscriber. Shared by all links. Invariants: a payload is kept while one of its deliveries is unresolved; every
// delivery reports exactly one outcome; nothing is forgotten before it is polled. All calls O(1), or O(payload) where
// bytes are copied, unless said otherwise.
class Outbox {
  public:
    explicit Outbox(const OutboxStorage& storage);

    // ---- bus/ ---------------------------------------------------------------------------------------------------
    // Stores a payload. outbox_full: no message slot or no room for the bytes. Follow with add_delivery(), or abandon().
    [[nodiscard]] Result<std::uint16_t> put(const OutboxPut& put);
    // A delivery of `message` to one subscription, in no lane yet (LaneSender::enqueue). outbox_full.
    [[nodiscard]] Result<std::uint16_t> add_delivery(std::uint16_t message, PeerIndex peer, NodeId node, SubscriptionId subscription);
    // Undoes put() and its deliveries, all idle (first LaneSender::retract those that are in a lane). O(deliveries).
    void abandon(std::uint16_t message);
    // Nothing of it leaves before `gate` is durable. Set in the call that enqueued it.
    void set_gate(std::uint16_t message, JournalSequence gate) { messages_[message].gate = gate; }
    // The delivery's end: frees the payload with the last of its message. Once a delivery (asserted); in no lane.
    void resolve(std::uint16_t delivery, Outcome outcome, Effect effect);
    // Forgets a delivery without telling (its outcome was told before a restart). In no lane; idle, or resolved and not yet
    // polled (then O(outcomes)).
    void drop(std::uint16_t delivery);
    // The oldest outcome that was not told yet, once it is kept(); frees its slot. False: none.
    [[nodiscard]] bool poll(OutcomeReport& report);
    [[nodiscard]] bool has_outcome() const { return polled_ < ended_ && polled_ < kept_; }
    // The delivery whose outcome poll() tells next; the others follow through Delivery::next. kNoSlot: none.
    [[nodiscard]] std::uint16_t first_outcome() const { return resolved_head_; }
    [[nodiscard]] PublishId next_id() const { return next_id_; }
    // Deliveries that have ended, and of those, oldest first, so many a crash can't take back: all without a journal. With
    // one: keep(0) before anything else, and then as records of them become durable.
    [[nodiscard]] std::uint64_t ended() const { return ended_; }
    [[nodiscard]] std::uint64_t kept() const { return kept_; }
    void keep(std::uint64_t ended) { kept_ = ended; }
    [[nodiscard]] std::uint64_t polled() const { return polled_; }  // of ended(): polled or dropped

    // ---- looking -----------------------------------------------------------------------------------------------
    // `i` below capacity; taken says whether the slot is in use.
    [[nodiscard]] std::uint16_t message_capacity() const { return static_cast<std::uint16_t>(messages_.capacity()); }
    [[nodiscard]] bool message_taken(std::uint16_t i) const { return messages_.taken(i); }
    [[nodiscard]] const OutboxMessage& message(std::uint16_t i) const { return messages_[i]; }
    [[nodiscard]] std::size_t delivery_capacity() const { return deliveries_.capacity(); }
    [[nodiscard]] const Delivery& delivery(std::uint16_t i) const { return deliveries_[i]; }
    [[nodiscard]] std::size_t messages_used() const { return messages_.size(); }
    // A message of `lane`, in a node with so many, may take room beside what is there (LaneScheduler::leaves_room).
    [[nodiscard]] bool leaves_room(Lane lane, std::size_t lanes) const;
    [[nodiscard]] std::size_t free_bytes() const { return blocks_.free_bytes(); }
    // Copies `length` bytes of the payload from `offset`.
    void load_payload(std::uint16_t message, std::size_t offset, std::span<std::byte> out) const;
    [[nodiscard]] MessageBlocks load_blocks(std::uint16_t message) const;

    // ---- link/ --------------------------------------------------------------------------------------------------
    [[nodiscard]] Delivery& delivery(std::uint16_t i) { return deliveries_[i]; }
    void load_stored(const OutboxMessage& message, std::size_t offset, std::span<std::byte> out) const {
        blocks_.load(message.chain, offset, out);
    }
    // How many sequences of a lane a delivery of it takes.
    [[nodiscard]] std::uint32_t fragments(const OutboxMessage& message) const { return fragments_of(stored_bytes(message)); }

  private:
    [[nodiscard]] std::uint16_t store(const OutboxPut& put, std::size_t payload_bytes);
    bool release_delivery(std::uint16_t index);
    void release_bytes(OutboxMessage& message);
    void unlink_outcome(std::uint16_t delivery);

    BlockPool blocks_;
    SlotPool<OutboxMessage> messages_;
    SlotPool<Delivery> deliveries_;
    PublishId next_id_{1};
    std::uint64_t ended_ = 0;
    std::uint64_t polled_ = 0;
    std::uint64_t kept_ = ~std::uint64_t{0};
    std::uint16_t resolved_head_ = kNoSlot;  // to be polled, oldest first, through Delivery::next
    std::uint16_t resolved_tail_ = kNoSlot;
};

}  // namespace dunlin::link
