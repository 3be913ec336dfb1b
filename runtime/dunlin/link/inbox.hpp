#pragma once

#include <dunlin/core/block_pool.hpp>
#include <dunlin/core/callback.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/short_instant.hpp>
#include <dunlin/core/slot_pool.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/credit.hpp>
#include <dunlin/link/fragments.hpp>
#include <dunlin/link/message_blocks.hpp>
#include <dunlin/resilience/retry_budget.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::link {

// A message on its way to a handler. `payload` is valid during the call only.
struct InboundMessage {
    Instant now{};
    Instant expires = kNever;
    Sequence sequence{};
    Lamport lamport{};
    MessageBlocks blocks{};
    std::span<const std::byte> payload{};
    SubscriptionId subscription{};
    NodeId publisher{};
    PeerIndex peer = kNoPeer;
    TopicIndex topic = kNoTopic;
    Lane lane = Lane::normal;
    std::uint16_t stream_tag = 0;  // to be given to LaneReceiver::complete(): tells a restarted publisher's numbering
    bool maybe_repeated = false;
};

// What became of it.
enum class Disposition : std::uint8_t {
    accepted,
    rejected,         // the handler saw it and will never take it
    retry_later,      // again after a backoff (10 ms .. 1 s) and as the retry budget allows, LinkSelf::attempts_max times at most
    pending,          // until LaneReceiver::complete()
    fenced,           // no handler saw it
    held,             // no handler saw it: not now, until LaneReceiver::release_held()
    subscriber_gone,  // no handler saw it: there is no such subscription here
    accepted_before,  // no handler saw it: one took another message under its key
    rejected_before,  // the same, and that one was rejected
};

// Where received messages go, and the names of topics. `intern` returns the topic's index here, or kNoTopic where there
// is no room (the packet is then not acknowledged and comes again). `topic_name`: of a topic that was published here.
struct InboundSink {
    Callback<TopicIndex(std::string_view)> intern{};
    Callback<std::string_view(TopicIndex)> topic_name{};
    Callback<Disposition(const InboundMessage&)> deliver{};
};

enum class WaitState : std::uint8_t {
    waiting,  // not handed over: behind a gap, behind the window, or behind another message of its subscription
    pending,  // the handler has it
    retry,    // the handler had it and wants it later
    held,     // the subscription cannot take it yet
    decided,  // has its outcome, which waits for its turn or for room in the notes
    partial,  // some of its fragments are still to come; behind the last that is contiguous
};

// One message that was received, if only in part, or the skip of one, that is not settled. A message has its slot, and room
// for all its bytes, from its first fragment on: those that follow are never refused.
struct InboxSlot {
    Instant expires = kNever;
    Lamport lamport{};
    std::uint32_t sequence_low = 0;
    SubscriptionId subscription{};
    std::uint16_t chain = kNoBlock;   // [which fragments are here] blocks, payload; see fragments.hpp
    std::uint16_t payload_bytes = 0;  // without the blocks
    TopicIndex topic = kNoTopic;
    std::uint16_t next = kNoSlot;  // by sequence, of one lane
    std::uint16_t previous = kNoSlot;
    ShortInstant retry_at{};  // state retry: when it is due
    WaitState state = WaitState::waiting;
    Outcome outcome = Outcome::none;  // decided only
    std::uint8_t attempts = 0;        // how often a handler had it
    Effect effect : 1 = Effect::none;
    bool fenced : 1 = false;
    bool keyed : 1 = false;
    bool in_fragments : 1 = false;  // it came, or comes, in several
    bool empty : 1 = false;         // it stands for what is to be skipped, and never had bytes
    bool maybe_repeated : 1 = false;
    bool taken : 1 = false;
};
static_assert(sizeof(InboxSlot) == 40);

// What a message that comes in fragments takes before its body: a bit for each, set when it is here.
[[nodiscard]] constexpr std::size_t fragment_bits_bytes(std::size_t body_bytes) { return (fragments_of(body_bytes) + 7) / 8; }
// Most bytes that one message takes in the inbox: its body, and those bits where it can have several fragments.
[[nodiscard]] constexpr std::size_t inbox_bytes_max(std::size_t message_bytes_max) {
    const std::size_t body = message_bytes_max + kBlocksBytesMax;
    return body + (fragments_of(body) > 1 ? fragment_bits_bytes(body) : 0);
}

struct InboxStorage {
    std::span<std::byte> block_bytes{};  // links.size() * bytes of a block
    std::span<std::uint16_t> block_links{};
    std::size_t bytes_per_block = 0;
    std::span<InboxSlot> slots{};
    std::span<std::byte> scratch{};  // message_bytes_max + kBlocksBytesMax; used while a stored message is handed over
    std::size_t message_bytes_max = 0;
    std::span<resilience::RetryBudget> retries{};  // one a peer
};

enum class FragmentsAdded : std::uint8_t { none, some, last };  // last: the message is whole now

// What one lane has in the inbox.
struct InboxShare {
    std::uint16_t slots = 0;
    std::uint16_t blocks = 0;
    std::uint16_t empty = 0;  // of the slots: taken by put_empty()
};

// Received messages that cannot be settled yet, of all peers; a bulkhead between them. What waits of one
// lane takes at most kShareMax times what it leaves free for the others, and never the reserve, which is one slot and the
// bytes of one longest message. The reserve is lent to a message that its handler gets at once, and stays lent only where
// that does not settle it. Where the handler of a subscription has a message already, the next one is not worth the reserve.
// To one that comes in fragments it is lent with the first that arrives, where nothing stands before it in its lane: then its
// handler gets it as soon as the others are here. They need no more room, so it waits for nobody but its publisher; when the
// session ends first, it is dropped.
//
// So whoever is refused waits for a handler that has a message, for the publisher's ack where the notes are full, or for the
// rest of a message that has its room; never for a message that itself would need room. What waits behind gaps cannot stop what
// closes them; nor can one subscription that settles nothing stop another one, whichever publisher's messages come: the reserve
// would have to be lent to it, which takes a message that came while it had none and while others had filled all the rest.
// Calls are O(1) or O(payload).
class Inbox {
  public:
    static constexpr std::size_t kShareMax = 2;

    explicit Inbox(const InboxStorage& storage);

    // Room for `stored_bytes` more that wait, beside the lane's `share`?
    [[nodiscard]] bool may_wait(std::size_t stored_bytes, const InboxShare& share) const;
    // What a peer whose messages hold `share` may have here, unsettled, in all: as much as they might hold if they waited, and at
    // least one message.
    [[nodiscard]] Credit credit(const InboxShare& share) const;
    // Room, also the reserve's, for `stored_bytes` that a handler gets now?
    [[nodiscard]] bool fits(std::size_t stored_bytes) const { return !slots_.full() && blocks_.fits(stored_bytes); }
    // A message of the subscription, of any peer, was handed over and is unsettled. O(slots)
    [[nodiscard]] bool has_unsettled(SubscriptionId subscription) const;
    // A slot with the bytes in it, added to `share`. may_wait() or fits() was true.
    [[nodiscard]] std::uint16_t put(std::span<const std::byte> stored, InboxShare& share);
    // A slot with room for a body of so many bytes and none of its fragments, added to `share`. may_wait() or fits() of
    // bytes_in_fragments() was true.
    [[nodiscard]] std::uint16_t put_in_fragments(std::size_t body_bytes, InboxShare& share);
    // Adds fragments from `index` on, which may be there already.
    FragmentsAdded add_fragments(std::uint16_t slot, std::size_t index, std::span<const std::byte> bytes);
    [[nodiscard]] static std::size_t bytes_in_fragments(std::size_t body_bytes) { return body_bytes + fragment_bits_bytes(body_bytes); }
    // How many sequences it has.
    [[nodiscard]] std::uint32_t sequences(std::uint16_t slot) const { return fragments_of(stored_bytes(slots_[slot])); }
    // A slot without bytes, for what is decided already; kNoSlot: it may not wait.
    [[nodiscard]] std::uint16_t put_empty(InboxShare& share);
    void release(std::uint16_t slot, InboxShare& share);
    // Frees the bytes, keeps the slot.
    void release_bytes(std::uint16_t slot, InboxShare& share);
    // The stored bytes as one span, valid until the next call.
    [[nodiscard]] std::span<const std::byte> stored(std::uint16_t slot) const;

    [[nodiscard]] InboxSlot& operator[](std::uint16_t slot) { return slots_[slot]; }
    [[nodiscard]] const InboxSlot& operator[](std::uint16_t slot) const { return slots_[slot]; }
    [[nodiscard]] std::size_t used() const { return slots_.size(); }
    [[nodiscard]] std::size_t capacity() const { return slots_.capacity(); }
    [[nodiscard]] std::size_t message_bytes_max() const { return message_bytes_max_; }
    // How often handlers here may be asked again for messages of that peer, whatever their lane.
    [[nodiscard]] resilience::RetryBudget& retries(PeerIndex peer) { return retries_[peer.value()]; }

  private:
    [[nodiscard]] static std::size_t stored_bytes(const InboxSlot& slot);
    [[nodiscard]] static std::size_t kept_bytes(const InboxSlot& slot);
    [[nodiscard]] bool slot_may_wait(const InboxShare& share) const;

    BlockPool blocks_;
    SlotPool<InboxSlot> slots_;
    std::span<std::byte> scratch_;
    resilience::RetryBudget* retries_;
    std::uint16_t message_bytes_max_;
    std::uint16_t reserve_blocks_;  // of the reserve
};

}  // namespace dunlin::link
