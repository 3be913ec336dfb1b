#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/link/credit.hpp>
#include <dunlin/link/sent_packet.hpp>
#include <dunlin/link/settled_set.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// An outcome other than acknowledged that the publisher may not know yet.
struct SettlementNote {
    std::uint32_t sequence_low = 0;
    std::uint32_t told_low = 0;       // number of the last packet that told it; with `told`
    Outcome outcome = Outcome::none;  // none: the note is free
    Effect effect = Effect::none;
    bool told = false;
};

inline constexpr std::size_t kSettlementNotesMax = 16;  // that a node keeps for a peer

struct SettlementStorage {
    std::span<std::uint64_t> bits{};    // 3 x window / 64
    std::span<SettlementNote> notes{};  // at most 255
};

// RecordKind::watermark: this head, then `words` x u64 of the bitmap as in a settlement, then `notes` x WatermarkNote.
struct WatermarkHead {
    std::uint64_t stream = 0;
    std::uint64_t cumulative = 0;
    std::uint16_t publisher = 0;
    std::uint16_t words = 0;
    std::uint16_t notes = 0;
    std::uint16_t lane = 0;
};
static_assert(sizeof(WatermarkHead) == 24);

struct WatermarkNote {
    std::uint32_t sequence_low = 0;
    std::uint8_t outcome = 0;
    std::uint8_t effect = 0;
    std::uint16_t reserved = 0;
};
static_assert(sizeof(WatermarkNote) == 8);

// Longest RecordKind::watermark of a window and a number of notes.
[[nodiscard]] constexpr std::size_t watermark_bytes_max(std::size_t window, std::size_t notes) { return 24 + window / 8 + notes * 8; }

// What a receiver has settled of one lane of a stream, and what of that it may say. Whatever is settled is `live`; with a journal it
// becomes `reported` only when the record of it is durable (persist before send). Notes are kept until a packet that told
// them is acknowledged, and no settlement leaves that covers a note without telling it: so cumulative and bitmap mean
// "acknowledged" wherever no note says otherwise.
class SettlementBook {
  public:
    explicit SettlementBook(const SettlementStorage& storage, Lane lane = Lane::normal);
    void set_journalled(bool journalled) { journalled_ = journalled; }  // before anything is settled

    void start(StreamId stream, Sequence cumulative);  // another stream, or none: all else is forgotten
    [[nodiscard]] StreamId stream() const { return stream_; }
    [[nodiscard]] Lane lane() const { return lane_; }
    [[nodiscard]] const SettledSet& live() const { return live_; }

    [[nodiscard]] bool note_fits() const { return notes_used_ < note_capacity_; }
    // Settles a sequence of the window, not settled yet. Another outcome than acknowledged takes a note: note_fits().
    void settle(Sequence sequence, Outcome outcome, Effect effect);
    // Settles as acknowledged all after live().cumulative() up to `last` (> it, asserted), of which nothing waits in the inbox; `last`
    // may lie beyond the window. O(window).
    void settle_up_to(Sequence last);
    // The publisher has resolved everything up to here; its notes are of no use any more.
    void raise(Sequence cumulative);

    // ---- journal --------------------------------------------------------------------------------------------------
    // Something is settled that no appended record covers, and no record is on its way to the device.
    [[nodiscard]] bool dirty() const { return journalled_ && changed_ && !appended_pending_; }
    // Everything live, as a RecordKind::watermark of node `publisher`; `out` holds watermark_bytes_max().
    [[nodiscard]] std::size_t encode(NodeId publisher, std::span<std::byte> out) const;
    // The record just encoded was appended as `gate`.
    void appended(JournalSequence gate);
    void on_durable(JournalSequence durable);
    // A watermark record from before a restart; false: malformed. Its publisher: watermark_publisher().
    [[nodiscard]] bool restore(std::span<const std::byte> record);

    // ---- packets --------------------------------------------------------------------------------------------------
    [[nodiscard]] bool owed() const { return owed_; }  // something may be said that was not yet
    void owe() { owed_ = stream_ != StreamId{}; }
    // Everything settled was said, though perhaps not heard yet.
    [[nodiscard]] bool said_all() const { return !owed_ && !(journalled_ && (changed_ || appended_pending_)); }
    // A settlement record, which states `credit`; false: no room, nothing written.
    [[nodiscard]] bool write(std::uint32_t number_low, Credit credit, wire::PacketWriter& writer);
    // True: notes were freed.
    bool on_packet_acked(const SentPacket& packet);
    void session_opened();  // nothing counts as told
    [[nodiscard]] Sequence reported_cumulative() const { return journalled_ ? reported_.cumulative() : live_.cumulative(); }

  private:
    [[nodiscard]] const SettledSet& sayable() const { return journalled_ ? reported_ : live_; }
    [[nodiscard]] bool tells(const SettlementNote& note) const;
    [[nodiscard]] std::span<SettlementNote> notes() { return {notes_, note_capacity_}; }
    [[nodiscard]] std::span<const SettlementNote> notes() const { return {notes_, note_capacity_}; }
    void free_notes_up_to(Sequence cumulative);
    [[nodiscard]] Sequence sequence_of(const SettlementNote& note) const;

    SettledSet live_;
    SettledSet appended_;
    SettledSet reported_;
    StreamId stream_{};
    JournalSequence gate_{};
    SettlementNote* notes_;
    std::uint8_t note_capacity_;
    std::uint8_t notes_used_ = 0;
    Lane lane_;
    bool journalled_ : 1 = false;
    bool changed_ : 1 = false;
    bool appended_pending_ : 1 = false;
    bool owed_ : 1 = false;
};

// The node whose stream a watermark record speaks of; 0: malformed.
[[nodiscard]] NodeId watermark_publisher(std::span<const std::byte> record);
// The lane of a record that is not malformed, by its number; perhaps one that this node was not built with.
[[nodiscard]] std::size_t watermark_lane(std::span<const std::byte> record);

}  // namespace dunlin::link
