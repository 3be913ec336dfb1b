#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/ring.hpp>
#include <dunlin/core/short_instant.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/alias_table.hpp>
#include <dunlin/link/credit.hpp>
#include <dunlin/link/link_shared.hpp>
#include <dunlin/link/outbox.hpp>
#include <dunlin/link/sent_packet.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::link {

// What the lanes of a link have in common in sending.
struct LaneSending {
    SentAliases aliases;
    CreditAccount credit;
};

// The sending half of a lane towards one peer: numbers deliveries, sends them in runs, sends again what was lost, and
// resolves them from the peer's settlements.
//
// A ring holds the sequences [first, next): each either a delivery, a further fragment of the delivery before it, or a hole
// (resolved here before the peer settled it, which the peer must be told to skip). A delivery is settled with its first
// sequence; what the peer has not settled of the others then is a hole. Invariant: the peer has settled everything before
// first(), and nothing at or after next() was ever sent. The numbering is one for all sessions and goes on after them.
class LaneSender {
  public:
    // `common`: of the link, for all its lanes; outlives this.
    LaneSender(Lane lane, std::span<std::uint16_t> ring, LaneSending& common, const LinkShared& shared);
    [[nodiscard]] Lane lane() const { return lane_; }

    // ---- bus/ ---------------------------------------------------------------------------------------------------
    // Gives the delivery (idle) the next sequences, one for each fragment. busy: the ring, a window of Limits::lane_window, has
    // no room for all (Counter::window_full). Sent as soon as there is a session. O(fragments).
    [[nodiscard]] Status enqueue(Instant now, std::uint16_t delivery);
    // Undoes the latest enqueue() of this lane; nothing of it was sent.
    void retract(std::uint16_t delivery);
    // A delivery recovered from a journal, idle, at the (first) sequence it had: >= next(). busy: it does not fit the window.
    // It may have been sent by an earlier process.
    [[nodiscard]] Status restore(Instant now, std::uint16_t delivery, Sequence sequence);
    // The numbering goes on from `next` at least; for a durable stream whose deliveries were resolved before a restart.
    [[nodiscard]] Status restore_next(Sequence next);
    [[nodiscard]] Sequence first() const { return first_; }                                  // the oldest that the peer has not settled
    [[nodiscard]] Sequence next() const { return Sequence{first_.value() + ring_.size()}; }  // of the next enqueue()
    // first(), as a hello states it; the numbering starts with it.
    [[nodiscard]] Sequence first_unsettled();
    // A hello that states it has left. What is settled between that and the session is told to the peer as skips: a new
    // process of it starts its count at what the hello said.
    void note_stated();
    [[nodiscard]] Sequence sequence_of(std::uint16_t delivery) const;
    [[nodiscard]] std::size_t free() const { return ring_.capacity() - ring_.size(); }
    // Takes a restored delivery out of the lane without an outcome (Outbox::drop may follow): it was told before a restart.
    // Before the first session.
    void remove(std::uint16_t delivery);
    // The peer unsubscribed: what was never sent ends as subscriber_gone. What was sent waits for the peer's word. O(ring).
    void subscription_gone(SubscriptionId subscription);
    // Another peer gets this lane: every delivery ends as peer_removed. O(ring).
    void reset();
    // The peer has this lane no more: the same, but the numbering goes on. O(ring).
    void give_up();

    // ---- link -----------------------------------------------------------------------------------------------------
    // A session opened. `peer_has_memory`: the peer is the process of the last session and knows this stream; else what
    // was sent may have run in an earlier one. Everything sent and not settled is sent again. O(ring).
    void session_opened(Instant now, bool peer_has_memory);
    void session_closed(Instant now);
    // The peer's epoch ended: deliveries to its volatile subscriptions end as subscriber_gone. O(ring).
    void peer_epoch_ended();

    [[nodiscard]] bool wants_to_send() const;  // a message may leave now (journal gates and credit looked at)
    // A skip may leave now: one behind what the peer may not have yet waits, or it would take the room that this needs there.
    [[nodiscard]] bool owes_skips() const;
    // A crash remembers every dead letter of this lane. Until then nothing may leave that lets the peer forget one: neither
    // an ack of the settlement that told it, nor a skip, nor a hello that has passed it. Else it would be taken for
    // acknowledged after a restart.
    [[nodiscard]] bool endings_kept() const { return dead_letters_until_ <= shared_->outbox.kept(); }
    // Runs and alias declarations for what is due, as far as `writer` and `sent` have room; notes them in `sent`. True
    // when something was written. `packet_bytes`: of a whole packet in this session.
    bool write(Instant now, PacketNumber number, std::size_t packet_bytes, wire::PacketWriter& writer, SentPacket& sent);
    bool write_skips(wire::PacketWriter& writer, SentPacket& sent);
    void on_packet_acked(Instant now, const SentPacket& packet);
    void on_packet_lost(Instant now, const SentPacket& packet);  // or to be probed: its content is queued again
    // A probe timeout: the first message whose fate is open is queued again, wherever it was sent last, because a peer
    // whose inbox is full of what comes after it takes nothing else. O(ring).
    void probe_first(Instant now);
    // False: malformed (counted). Otherwise everything that it settles is resolved, and the credit that it states holds from now on,
    // unless it is older than one before. O(sequences settled + bitmap).
    bool on_settlement(const wire::Record& record);

    [[nodiscard]] Instant next_deadline() const { return expiry_; }
    void on_timeout(Instant now);  // expiry, and the next try without credit. O(ring) when something expires
    // After whatever may have used up the credit: a lane that waits for some may try one message without, in a while.
    void pace(Instant now);

    void set_stream(StreamId stream) { stream_ = stream; }
    [[nodiscard]] StreamId stream() const { return stream_; }
    [[nodiscard]] std::uint16_t unsettled() const;  // deliveries sent and not settled; O(ring)

  private:
    struct Draft;
    enum class SkipKind : std::uint8_t { none, told, asked };  // owed at a place of the ring

    // Marks in the ring instead of a delivery.
    static constexpr std::uint16_t kHoleOwed = 0xfff0;  // resolved here; the peer is to be told to skip it
    static constexpr std::uint16_t kHoleSent = 0xfff1;  // it was told
    static constexpr std::uint16_t kSettled = 0xfff2;   // the peer has settled it
    // Or what became of a further fragment, in the words of DeliveryState; kPartReceived also while its delivery is skipped.
    static constexpr std::uint16_t kPartQueued = 0xfff3;
    static constexpr std::uint16_t kPartInFlight = 0xfff4;
    static constexpr std::uint16_t kPartReceived = 0xfff5;
    [[nodiscard]] static constexpr bool is_delivery(std::uint16_t entry) { return entry < kHoleOwed; }
    [[nodiscard]] static constexpr bool is_part(std::uint16_t entry) { return entry >= kPartQueued; }

    void start_numbering();
    [[nodiscard]] std::uint32_t offset_of(std::uint32_t sequence_low) const {
        return sequence_low - static_cast<std::uint32_t>(first_.value());
    }
    [[nodiscard]] std::uint32_t fragments(std::uint16_t delivery) const;
    void set_parts(std::uint32_t offset, std::uint32_t fragments, std::uint16_t mark);
    [[nodiscard]] const Delivery& delivery_of(std::uint32_t offset) const;
    void owe_skip(std::uint32_t offset);
    void make_hole(std::uint32_t offset);
    void end_delivery(std::uint32_t offset, Outcome outcome);
    void leave_state(DeliveryState state);
    void resolve(std::uint16_t delivery, Outcome outcome, Effect effect);
    void received(std::uint32_t offset);
    void queue_again(Instant now, std::uint32_t offset);
    void pause(Instant now, Duration at_least);
    void refused(Instant now);
    void none_refused(Instant now);
    void end_pause(Instant now);
    void settle(std::uint32_t offset, Outcome outcome, Effect effect);
    [[nodiscard]] bool settlement_sane(const wire::Settlement& settlement, std::span<const std::byte> bytes) const;
    void settle_bitmap(std::uint64_t first, std::span<const std::byte> words);
    void pop_settled();
    void recount();
    [[nodiscard]] Instant expiry_of(const Delivery& delivery) const;
    void expire(std::uint32_t offset);
    void pass_holes();

    [[nodiscard]] bool sendable(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t next_due() const;
    [[nodiscard]] std::uint32_t claim_next() const;
    [[nodiscard]] bool allowed(std::uint32_t offset) const;
    [[nodiscard]] bool has_credit(std::uint32_t offset) const;
    [[nodiscard]] bool doubtful(std::uint32_t offset) const;
    void note_loss(Instant now, std::uint32_t due);
    [[nodiscard]] std::uint32_t units_of(const Delivery& delivery) const;
    void charge(std::uint32_t offset);
    void give_back(Delivery& delivery);
    [[nodiscard]] bool write_run(Draft& draft, std::uint32_t offset);
    [[nodiscard]] std::uint16_t known_alias(const Draft& draft, const Delivery& delivery);
    [[nodiscard]] std::uint16_t prepare_alias(Draft& draft, const Delivery& delivery);
    [[nodiscard]] static bool fits_packet(const Draft& draft, std::size_t body_bytes);
    [[nodiscard]] std::size_t least_bytes(const Draft& draft, const OutboxMessage& message) const;
    [[nodiscard]] std::uint32_t due_from(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t write_message(Draft& draft, const Delivery& delivery, std::uint32_t offset, std::uint32_t most,
                                              std::uint16_t alias);
    [[nodiscard]] bool write_body(Draft& draft, const Delivery& delivery, std::uint32_t index, std::uint32_t count, std::uint16_t alias);
    [[nodiscard]] SkipKind skip_kind(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t next_skip() const;
    [[nodiscard]] bool peer_has(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t missing() const;
    void mark_sent(std::uint32_t offset);
    void start_behind();
    [[nodiscard]] Sequence behind_end() const;
    [[nodiscard]] bool write_behind(wire::PacketWriter& writer);

    const LinkShared* shared_;
    Ring<std::uint16_t> ring_;  // deliveries and the marks above
    StreamId stream_{};
    Sequence first_{};                      // 0: nothing was numbered yet
    Sequence unsent_{};                     // from here on nothing was sent; what is to be sent stands there, or it is next()
    Instant expiry_ = kNever;               // on_timeout() has nothing to do before
    std::uint64_t dead_letters_until_ = 0;  // Outbox::ended() with the last dead letter of this lane
    LaneSending* common_;
    // Offsets that only remember how far was looked.
    mutable std::uint16_t resend_from_ = 0;   // nothing is queued again before it
    mutable std::uint16_t skip_from_ = 0;     // no skip is owed before it
    mutable std::uint16_t missing_from_ = 0;  // the peer has all before it, or is to skip it
    ShortInstant paused_until_{};             // with pausing_
    std::uint16_t resends_ = 0;               // queued again: at offsets before unsent_
    std::uint16_t skips_ = 0;                 // owed: of holes, and of deliveries
    std::uint16_t behind_count_ = 0;          // so many before behind_end() are settled, and the peer may not know; 0: it does
    std::uint32_t behind_end_low_ = 0;
    std::uint32_t stated_low_ = 0;  // first(), in the first hello since the last session opened; with stated_
    bool stated_ : 1 = false;
    bool behind_owed_ : 1 = false;  // to be told (again)
    bool session_ : 1 = false;
    bool pausing_ : 1 = false;     // nothing goes without credit before paused_until_
    bool refused_ : 1 = false;     // the pause is for that
    bool pass_ : 1 = false;        // a pause is over: one message may
    bool skips_held_ : 1 = false;  // one was lost: the peer may have no room for it; none leaves before the pause is over
    std::uint8_t lost_ : 4 = 0;    // so often something was lost for which there may be no room, one after the other
    Lane lane_;
};

}  // namespace dunlin::link
