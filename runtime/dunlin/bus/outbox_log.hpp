#pragma once

#include <dunlin/bus/advertiser.hpp>
#include <dunlin/bus/bus_shared.hpp>
#include <dunlin/bus/message.hpp>
#include <dunlin/bus/records.hpp>
#include <dunlin/bus/topics.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::bus {

// What the journal knows of the outbox: enough to go on after a restart as if there had been none.
//
// Invariant: when a publish is written, every outcome known until then is written before it. So at recovery the outbox
// and the lanes never hold more than they did at that moment, and what fitted once fits again. An outcome is told once its
// record is durable, so that no crash changes it; it counts as told when it was polled, and a crash before that was
// written tells it again.
class OutboxLog {
  public:
    // `shared` outlives it; of its peers only the epoch. `scratch` holds a longest payload, and is used in emit_live() alone.
    OutboxLog(const BusShared& shared, TopicTable& topics, std::span<std::byte> scratch);

    // Appends a publish that is in the outbox and in its lanes, and holds it back until that is durable. With any status
    // but ok (see Journal::append) nothing was appended. Without a journal: ok, nothing is written or held.
    Status append(Instant now, std::uint16_t message, const PublishOptions& options);
    // Writes every outcome that is known, unless some that were written are not durable yet. Without room in the journal it
    // does nothing: call it whenever the journal may have some.
    void store_outcomes();
    void on_durable();
    // The oldest outcome that is durable and was not told. Without room in the journal, and during a checkpoint, it waits.
    [[nodiscard]] bool poll(link::OutcomeReport& report);

    // Records outbox_put, outbox_delivery, outbox_done, lane_next in journal order. corrupt; table_full, outbox_full: limits shrank.
    // `position`: set where the record has one.
    Status replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes, std::uint64_t& position);
    static constexpr std::uint8_t kStages = 3;  // of EmitCursor
    // Writes all that is not told. busy: again with the same cursor. O(messages) for each message.
    Status emit_live(Instant now, EmitCursor& cursor, const EmitRecord& emit);
    // The outbox's slots, out of line: they are looked at in many places.
    [[nodiscard]] const link::OutboxMessage& message_at(std::uint16_t index) const;
    [[nodiscard]] const link::Delivery& delivery_at(std::uint16_t index) const;
    // The peer is in this epoch: volatile subscriptions of earlier ones are gone, and so are deliveries to them.
    void note_epoch(PeerIndex peer, BootEpoch epoch);

  private:
    static constexpr std::size_t kNotesMax = 4;

    [[nodiscard]] Status note_outcomes();
    void wait_for_notes();
    [[nodiscard]] Status flush_told();
    [[nodiscard]] Status append_notes(std::span<const OutboxDoneRecord> notes);
    [[nodiscard]] Status write_put(Instant now, std::uint16_t message, std::size_t payload_bytes, std::span<const std::byte> payload,
                                   std::optional<std::uint64_t> position, const EmitRecord& emit) const;
    [[nodiscard]] OutboxDeliveryRecord delivery_record(std::uint16_t delivery) const;
    [[nodiscard]] Sequence lane_order(std::uint16_t delivery) const;
    [[nodiscard]] std::uint16_t next_delivery(std::uint16_t message, Sequence from, std::uint16_t from_slot) const;
    [[nodiscard]] std::uint16_t next_message(PublishId after, bool resolved) const;
    [[nodiscard]] Status emit_message(Instant now, std::uint16_t message, EmitCursor& cursor, const EmitRecord& emit) const;
    [[nodiscard]] Status emit_deliveries(std::uint16_t message, EmitCursor& cursor, const EmitRecord& emit) const;
    [[nodiscard]] Status emit_lanes(EmitCursor& cursor, const EmitRecord& emit) const;

    [[nodiscard]] std::uint16_t find_message(PublishId publish);
    [[nodiscard]] std::uint16_t find_delivery(std::uint16_t message, NodeId node, SubscriptionId subscription) const;
    [[nodiscard]] Result<TopicIndex> recover_topic(std::string_view topic);
    [[nodiscard]] Status replay_put(Instant now, std::span<const std::byte> bytes, std::uint64_t& position);
    [[nodiscard]] Status replay_delivery(Instant now, std::span<const std::byte> bytes);
    [[nodiscard]] Status replay_done(std::span<const std::byte> bytes);
    [[nodiscard]] Status replay_lane(std::span<const std::byte> bytes);
    void resolve(std::uint16_t delivery, Outcome outcome, Effect effect);
    void leave_lane(std::uint16_t delivery);

    const BusShared* shared_;
    TopicTable* topics_;
    std::span<std::byte> scratch_;
    std::array<OutboxDoneRecord, kNotesMax> told_{};  // told and not yet written
    std::uint16_t told_count_ = 0;
    std::uint16_t found_ = 0;  // where find_message() looks first
    // Of Outbox::ended(): written; and of those, durable with the record `gate_`.
    std::uint64_t noted_ = 0;
    std::uint64_t gated_ = 0;
    JournalSequence gate_{};
};

}  // namespace dunlin::bus
