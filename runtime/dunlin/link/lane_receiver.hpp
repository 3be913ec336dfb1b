#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/alias_table.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/link/link_shared.hpp>
#include <dunlin/link/sent_packet.hpp>
#include <dunlin/link/settlement_book.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// The receiving half of a lane: hands messages to the sink once each and in order of (publisher, subscription), and
// settles them. Messages behind a gap wait in the inbox, because any of them may belong to the missing one's
// subscription; in order, one that is pending, to be retried or held holds back its own subscription alone. A message that
// comes in fragments is one of these as soon as it is whole; until then it is a gap.
//
// Invariants: everything up to contiguous() was received or skipped; cumulative <= contiguous(); the inbox list of this
// lane is sorted by sequence, no two messages in it have a sequence in common, and it holds exactly what was received and is
// not settled, and past contiguous() what was received in part.
class LaneReceiver {
  public:
    // `aliases`: of the link, for all its lanes; outlives this.
    LaneReceiver(Lane lane, const SettlementStorage& settlements, ReceivedAliases& aliases, const LinkShared& shared, PeerIndex peer);

    // ---- bus/ and node/ -------------------------------------------------------------------------------------------
    // Ends `pending` with any other disposition but `held`. `stream_tag`: of the InboundMessage. not_found: no such
    // message is pending. Safe inside a handler. Goes on with what it held back.
    Status complete(Instant now, Sequence sequence, std::uint16_t stream_tag, Disposition disposition);
    // Offers everything that is `held` again.
    void release_held(Instant now);
    // With a journal: a watermark must be appended (RecordKind::watermark) before more can be settled. node/ appends the
    // encoded record, in one batch with the application's position, and says so.
    [[nodiscard]] bool watermark_dirty() const { return book_.dirty(); }
    [[nodiscard]] std::size_t encode_watermark(std::span<std::byte> out) const { return book_.encode(publisher_, out); }
    void watermark_appended(JournalSequence gate) { book_.appended(gate); }
    void on_durable(JournalSequence durable) { book_.on_durable(durable); }
    // At boot, before any session; false: malformed.
    [[nodiscard]] bool restore_watermark(std::span<const std::byte> record);

    // ---- link -----------------------------------------------------------------------------------------------------
    void set_publisher(NodeId publisher) { publisher_ = publisher; }
    // A session opened: `stream` is the peer's numbering, resolved up to before `first_unsettled`. A known stream goes on
    // where it was, another one starts over. No handler runs: what can be handed over now is so by the next on_timeout(),
    // which is due at once.
    void session_opened(Instant now, StreamId stream, Sequence first_unsettled);
    // What waits behind a gap is given back; the publisher sends it again in its next session.
    void session_closed();
    void reset();  // another peer: nothing is known
    // Records of packet `number`. False: it could not be taken as a whole; the packet must not be acknowledged.
    bool on_alias(std::uint32_t number_low, const wire::Record& record);
    bool on_run(Instant now, std::uint32_t number_low, const wire::Record& record);
    // O(window + slots of the inbox), whatever it names.
    bool on_skip(Instant now, const wire::Record& record);

    [[nodiscard]] SettlementBook& settlements() { return book_; }
    [[nodiscard]] const SettlementBook& settlements() const { return book_; }
    void on_packet_acked(Instant now, const SentPacket& packet);
    [[nodiscard]] Instant next_deadline() const { return retry_at_; }
    void on_timeout(Instant now);
    [[nodiscard]] Sequence contiguous() const { return contiguous_; }
    [[nodiscard]] const InboxShare& share() const { return share_; }

  private:
    struct SkipSpan;

    // No sender has a longer window: what is further ahead is not believed.
    static constexpr std::uint64_t kWindowMax = 0xffff;

    // A message in a packet, validated, or a piece of one.
    struct Arrival {
        Sequence sequence{};  // the message's first
        Instant expires = kNever;
        Lamport lamport{};
        std::span<const std::byte> stored{};  // blocks, payload: of these the fragments from `index` on
        SubscriptionId subscription{};
        TopicIndex topic = kNoTopic;
        std::uint16_t payload_bytes = 0;  // of the message
        std::uint16_t index = 0;
        std::uint16_t pieces = 1;      // fragments in `stored`
        std::uint16_t sequences = 1;   // of the message
        std::uint16_t slot = kNoSlot;  // in the inbox, of what has one of these sequences
        bool fenced = false;
        bool keyed = false;
        bool maybe_repeated = false;
        bool refused = false;  // too long for this node, or a key without a lifetime: its outcome is rejected

        [[nodiscard]] bool whole() const { return pieces == sequences; }
        [[nodiscard]] Sequence last() const { return sequence.plus(sequences - 1U); }
    };
    // An outcome as it will be settled.
    struct Ending {
        Outcome outcome = Outcome::none;  // none: not yet
        Effect effect = Effect::none;
    };

    [[nodiscard]] bool read_message(Instant now, std::uint32_t number_low, Sequence place, std::span<const std::byte>& bytes,
                                    Arrival& arrival);
    [[nodiscard]] static bool read_shape(std::span<const std::byte>& bytes, Sequence place, Arrival& arrival, wire::MessageHead& head);
    [[nodiscard]] bool take_message(Instant now, const Arrival& arrival);
    [[nodiscard]] bool has_room(const Arrival& arrival) const;
    [[nodiscard]] bool may_hand_over(Sequence last) const;
    void take_in_order(Instant now, const Arrival& arrival);
    [[nodiscard]] bool joins(const Arrival& arrival) const;
    [[nodiscard]] bool is_part_of(std::uint16_t slot, const Arrival& arrival) const;
    void take_fragments(Instant now, std::uint16_t slot, const Arrival& arrival);
    [[nodiscard]] bool refuse(Instant now, const Arrival& arrival);
    [[nodiscard]] bool is_settled(Sequence first, Sequence last) const;
    [[nodiscard]] std::uint16_t store(const Arrival& arrival);
    [[nodiscard]] InboundMessage inbound(Instant now, const Arrival& arrival) const;
    [[nodiscard]] bool skip_all(const SkipSpan& skip);
    void skip_waiting(std::uint16_t slot, Ending unseen);
    [[nodiscard]] std::uint64_t skip_unseen(const SkipSpan& skip, std::uint64_t next, std::uint64_t end, std::uint16_t before);
    [[nodiscard]] bool settle_unseen(Sequence sequence, Ending ending, std::uint16_t before);
    [[nodiscard]] bool may_settle(Sequence last, Outcome outcome) const;
    void settle(Sequence first, Sequence last, Ending ending);

    [[nodiscard]] std::uint16_t first_after(Sequence sequence) const;
    void insert(std::uint16_t slot, Sequence sequence) { insert(slot, sequence, first_after(sequence)); }
    void insert(std::uint16_t slot, Sequence sequence, std::uint16_t before);
    void drop(std::uint16_t slot);
    void drop_after(Sequence sequence);
    void drop_up_to(Sequence sequence);
    [[nodiscard]] std::uint16_t find(Sequence first, Sequence last) const;
    [[nodiscard]] Sequence sequence_of(std::uint16_t slot) const;
    [[nodiscard]] Sequence last_of(std::uint16_t slot) const;
    void close_gap();

    void pump(Instant now);
    [[nodiscard]] bool pump_once(Instant now);
    [[nodiscard]] bool held_back(SubscriptionId subscription, Sequence sequence) const;
    void hand_over(Instant now, std::uint16_t slot);
    [[nodiscard]] Disposition offer(Instant now, const InboundMessage& message, std::uint8_t attempts);
    [[nodiscard]] Ending conclude(Instant now, std::uint16_t slot, Disposition disposition);
    void decide(std::uint16_t slot, Ending ending);
    void schedule_retry(Instant now, InboxSlot& slot, Duration at_least);
    void retry(Instant now, InboxSlot& slot);

    SettlementBook book_;
    Sequence contiguous_{};
    Instant retry_at_ = kNever;
    ReceivedAliases* aliases_;
    const LinkShared* shared_;
    std::uint16_t head_ = kNoSlot;  // the inbox list: lowest sequence
    std::uint16_t tail_ = kNoSlot;
    InboxShare share_;
    std::uint16_t stream_tag_ = 0;
    NodeId publisher_{};
    PeerIndex peer_;
    bool pumping_ : 1 = false;
    bool pump_again_ : 1 = false;
};

}  // namespace dunlin::link
