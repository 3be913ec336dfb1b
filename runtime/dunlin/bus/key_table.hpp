#pragma once

#include <dunlin/bus/key_times.hpp>
#include <dunlin/bus/message.hpp>
#include <dunlin/bus/records.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/slot_pool.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/inbox.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::bus {

enum class KeyState : std::uint8_t {
    free,
    running,  // its handler is being called
    pending,  // its handler said so, and the application will complete() it
    accepted,
    rejected,
};

struct KeyEntry {
    IdempotencyKey key{};
    Instant until{};                 // the key counts until then
    SubscriptionId subscription{};   // that it is of
    std::uint32_t sequence_low = 0;  // running, pending: of the message that has it, in that lane
    PeerIndex peer = kNoPeer;
    std::uint16_t stream_tag = 0;
    std::uint16_t next = kNoSlot;  // of its bucket, or of the free ones
    KeyState state : 4 = KeyState::free;
    Lane lane : 2 = Lane::normal;  // of `peer`: that the sequence is of
    bool unstored : 1 = false;     // the journal does not know it as it is; in recovery: not confirmed
};
static_assert(sizeof(KeyEntry) == 40);

struct KeyStorage {
    std::span<KeyEntry> entries{};
    std::span<std::uint16_t> buckets{};  // as many
};

// When the last copy that may have this key is dead, given that the message which came `now` ends at `expires` here: its
// lifetime, which was `lifetime_ms` in all, by the slowest clock that a publisher may have (100,000 ppm) and the fastest that
// this node may have, and a packet that was on its way for `packet_age_max`.
[[nodiscard]] Instant key_end(Instant expires, std::uint32_t lifetime_ms, const KeyTimes& times);

// Which effects were had, by the keys that applications gave them (docs/decisions/0009): a handler ends one message of
// a key and subscription, whichever peer or path the others come from, until no copy of them can be alive. One table for all
// peers; a subscription's keys are its own, so that two subscriptions each have the effect once.
//
// Invariants: an entry is forgotten when its time is over, or when its handler wants the message later (it had no effect
// then), and for no other reason; without room for an entry no handler runs. What waits is offered again when an entry ends.
//
// Journal: entries of durable subscriptions outlive a restart. A key is written before the watermark of its message is, and
// counts at recovery only where a watermark follows: then the two are known together or not at all. Its time stands still
// while the node is down.
//
// Chained hashing rather than core's HashMap, whose entries move: the journal names their places. O(1) expected, O(entries)
// where entries run out.
class KeyTable {
  public:
    // `times` outlives it. `journalled`: entries are to be stored.
    KeyTable(const KeyStorage& storage, const KeyTimes& times, bool journalled);

    // ---- messages -------------------------------------------------------------------------------------------------
    enum class Wait : std::uint8_t { none, first, room };
    struct Answer {
        std::uint16_t entry = kNoSlot;    // taken for this message: the handler may run; then ended()
        link::Disposition disposition{};  // without an entry: what becomes of the message
        Wait wait = Wait::none;           // held: until the first one has ended; until there is room
    };
    // Of a message with a key. accepted_before, rejected_before: as the one that had its effect. held: until take_released().
    // rejected: its lifetime is above lifetime_max, or this node has no table.
    [[nodiscard]] Answer ask(const link::InboundMessage& message);
    // What became of the message that has this entry. Where that is neither accepted, rejected nor pending it had no effect:
    // whichever message of the key comes first has it then.
    void ended(std::uint16_t entry, link::Disposition disposition);
    // The application's word on a pending one, also where the message is gone because its publisher has lost its stream.
    // O(entries) where any is pending.
    void completed(const CompletionId& completion, link::Disposition disposition);
    // True once after an end that something was held for.
    [[nodiscard]] bool take_released();
    // When on_timeout() has something to do: an entry runs out that something is held for.
    [[nodiscard]] Instant next_deadline() const { return waiting_ ? earliest_end_ : kNever; }
    void on_timeout(Instant now);
    // Whether an earlier process may have had the effect of a message that comes `now`: what it settled last was perhaps not
    // durable, and without a journal nothing was. That ends when every key of its time has run out.
    [[nodiscard]] bool may_have_run(const link::InboundMessage& message) const {
        return message.now < blind_until_ && is_durable(message.subscription);
    }

    // ---- life -----------------------------------------------------------------------------------------------------
    // The process may run handlers from now on. `first_life`: nothing can have run before.
    void start(Instant now, bool first_life);
    [[nodiscard]] Status replay(Instant now, std::span<const std::byte> record);  // corrupt; table_full: limits shrank
    void confirm();                                                               // a watermark follows what was replayed
    void drop_unconfirmed();                                                      // the journal ends here

    // Writes what the journal does not know. With any status but ok the rest is still to be written. O(entries) where
    // there is something.
    [[nodiscard]] Status store(Instant now, const EmitRecord& emit);
    // A checkpoint: everything is to be written again, and until thaw() nothing changes but by ended() and completed(), so
    // that each entry is written once.
    void freeze();
    void thaw();

  private:
    [[nodiscard]] std::uint16_t& bucket(const IdempotencyKey& key, SubscriptionId subscription);
    [[nodiscard]] std::uint16_t find(const IdempotencyKey& key, SubscriptionId subscription);
    [[nodiscard]] Answer repeat(KeyEntry& entry, Instant until);
    [[nodiscard]] Answer hold(Wait wait);
    void place(std::uint16_t index, const KeyEntry& entry);
    void remove(std::uint16_t index);
    void sweep(Instant now);
    void mark_unstored(KeyEntry& entry);

    std::span<KeyEntry> entries_;
    std::span<std::uint16_t> buckets_;
    const KeyTimes* times_;
    Instant blind_until_ = kNever;
    Instant earliest_end_ = kNever;  // no entry runs out before
    std::uint16_t free_ = kNoSlot;
    std::uint16_t unstored_ = 0;
    std::uint16_t pending_ = 0;
    bool journalled_;
    bool waiting_ = false;   // something is held
    bool released_ = false;  // and an entry has ended since
    bool frozen_ = false;
};

}  // namespace dunlin::bus
