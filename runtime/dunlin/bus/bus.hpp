#pragma once

#include <dunlin/bus/advertiser.hpp>
#include <dunlin/bus/bus_shared.hpp>
#include <dunlin/bus/fence_gate.hpp>
#include <dunlin/bus/key_table.hpp>
#include <dunlin/bus/message.hpp>
#include <dunlin/bus/outbox_log.hpp>
#include <dunlin/bus/records.hpp>
#include <dunlin/bus/remote_subscriptions.hpp>
#include <dunlin/bus/subscriptions.hpp>
#include <dunlin/bus/topics.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dunlin::bus {

struct BusStorage {
    TopicStorage topics{};
    LocalSubscriptionStorage local{};
    RemoteSubscriptionStorage remote{};
    std::span<BusPeer> peers{};
    std::span<FenceRow> fences{};
    KeyStorage keys{};
    std::span<std::byte> scratch{};  // a longest payload; used while a checkpoint is written, so it may be the inbox's
};

// Topics and who listens to them. Publishing stores the payload once and hands one delivery for each matching
// subscription to the lane of its peer; receiving runs the handler of the subscription that the message names.
//
// With a journal a publish is accepted by a record (outbox_put), and nothing of it leaves before that record is durable;
// each delivery that ended is noted (outbox_done), so that a restart sends the rest again. A crash may repeat outcomes,
// never lose one.
//
// Order: FIFO for each (publisher, subscription, lane). Calls are safe inside a handler.
class Bus {
  public:
    Bus(const BusStorage& storage, const BusShared& shared);
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // ---- Application ------------------------------------------------------------------------------------------
    // Accepts a message for all subscriptions of peers that match now; their number comes back, and one outcome for each
    // will. Nothing is stored, the position neither, unless `ok`:
    //   invalid_topic, too_large (the payload; or record and journal buffer)
    //   invalid_argument   negative lifetime, fence without token or with a bad name; a key of 0, or without a lifetime or with
    //                      one above Options::key_lifetime_max
    //   no_subscriber      nobody listens
    //   peer_unreachable   options.only_if_reachable, and a subscriber has no session now
    //   outbox_full        no room for the payload, for a message or for all its deliveries, or none that its lane may take
    //                      (LaneScheduler): after outcomes, again
    //   table_full         no room for a new topic name
    //   busy               the journal has no room now: after its next sync, again
    // A node's own subscriptions are not served by its own publishes. O(remote subscriptions + payload).
    [[nodiscard]] Result<Published> publish(Instant now, const PublishOptions& options);
    // The same with a payload of `bytes` bytes that `write` writes where it is kept (options.payload is not looked at): a copy less.
    // It is called once all is known to fit but the deliveries, before this returns.
    [[nodiscard]] Result<Published> publish_in_place(Instant now, const PublishOptions& options, std::size_t bytes,
                                                     const link::PayloadWriter& write);
    // invalid_filter; invalid_argument: durable id above 2^31-1 or in use, no handler; table_full: subscriptions or fences.
    [[nodiscard]] Result<SubscriptionId> subscribe(std::string_view filter, Handler handler, const SubscribeOptions& options = {});
    // Ends the subscription, a durable one too: peers are told and stop sending. not_found.
    Status unsubscribe(SubscriptionId subscription);
    // Ends `pending` with any other verdict. not_found: the message is no longer waiting.
    Status complete(Instant now, const CompletionId& completion, Verdict verdict);
    [[nodiscard]] std::uint16_t subscriber_count(std::string_view topic) const;
    // Positions as last stored or recovered; 0: none.
    [[nodiscard]] std::uint64_t publish_position() const { return publish_position_; }
    [[nodiscard]] std::uint64_t receive_position() const { return receive_position_; }
    void set_receive_position(std::uint64_t position) { receive_position_ = position; }  // node/ appends the record
    [[nodiscard]] FenceGate& fences() { return fences_; }
    // From now on no handler is given a message: whatever arrives stays with its publisher.
    void stop_delivering() { delivering_ = false; }

    // ---- Links ------------------------------------------------------------------------------------------------
    [[nodiscard]] link::InboundSink sink();
    // Call in this order: session_closed, peer_ended, session_opened, as the link's news says.
    void session_opened(PeerIndex peer);
    void session_closed(PeerIndex peer);
    void peer_ended(PeerIndex peer);  // goodbye or a newer epoch: of its subscriptions only the durable ones stay
    // The slot must not be freed: a durable subscription or an unresolved delivery needs it.
    [[nodiscard]] bool peer_needed(PeerIndex peer) const;
    void peer_freed(PeerIndex peer);  // before Link::reset(); not where peer_needed()

    // subscribe, unsubscribe, subscriptions_acked; false: not the bus's.
    bool on_record(Instant now, PeerIndex peer, const wire::Record& record);
    [[nodiscard]] bool wants_to_send(Instant now, PeerIndex peer) const { return advertiser_.wants_to_send(now, peer); }
    // True when something was written: the packet wants an ack.
    bool write_records(Instant now, PeerIndex peer, wire::PacketWriter& writer) { return advertiser_.write_records(now, peer, writer); }
    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now);
    // The oldest outcome that was not told yet, as Event::outcome.
    [[nodiscard]] bool poll_outcome(Event& event);

    // ---- Journal and ledger -----------------------------------------------------------------------------------
    void on_durable(Instant now);                     // the journal's durable() grew: what was held for it goes on
    void store_outcomes() { log_.store_outcomes(); }  // before the journal is asked what to do: see OutboxLog
    // RecordKinds of records.hpp, in journal order; ok for others. corrupt; table_full or outbox_full: limits shrank.
    Status replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes);
    // Watermarks follow in the journal: the keys replayed before them count. At its end the others are dropped.
    void watermarks_replayed() { keys_.confirm(); }
    void recovered() { keys_.drop_unconfirmed(); }
    // The node is ready: handlers may run. `first_life`: no earlier process of this node can have run any.
    void start(Instant now, bool first_life) { keys_.start(now, first_life); }
    // Appends the keys that the journal does not know. Before watermarks are, and only if ok are they: see KeyTable.
    [[nodiscard]] Status store_keys(Instant now);
    // Checkpoint: the keys, before the watermarks. From freeze_keys() to thaw_keys() no new one is taken.
    void freeze_keys() { keys_.freeze(); }
    [[nodiscard]] Status emit_keys(Instant now, const EmitRecord& emit) { return keys_.store(now, emit); }
    void thaw_keys();
    // Checkpoint. busy: call again with the same cursor (at first {}).
    Status emit_live(Instant now, EmitCursor& cursor, const EmitRecord& emit);
    // A lease whose current token must be read from the ledger before its subscriptions get anything.
    [[nodiscard]] std::optional<std::string_view> needs_floor_read() const { return fences_.needs_floor_read(); }
    void floor_known(Instant now, LeaseKey lease, Token token);

  private:
    [[nodiscard]] bool valid_key(const PublishOptions& options) const;
    [[nodiscard]] Result<Published> publish(Instant now, const PublishOptions& options, link::OutboxPut& put, std::size_t bytes);
    [[nodiscard]] Status check(const PublishOptions& options) const;
    [[nodiscard]] Status accept(Instant now, const PublishOptions& options, link::OutboxPut& put, Published& published);
    [[nodiscard]] bool all_reachable(std::string_view topic, std::size_t row) const;
    [[nodiscard]] Status send_to_all(Instant now, std::uint16_t message, Lane lane, std::string_view topic, std::size_t row,
                                     Published& published);
    void undo(std::uint16_t message);
    [[nodiscard]] TopicIndex intern(std::string_view topic);
    [[nodiscard]] link::Disposition deliver(const link::InboundMessage& message);
    [[nodiscard]] link::Disposition deliver_once(const LocalSubscription& subscription, const link::InboundMessage& message);
    [[nodiscard]] link::Disposition run(const LocalSubscription& subscription, const link::InboundMessage& message);
    void note_key_answer(const link::InboundMessage& message, const KeyTable::Answer& answer);
    void release_keys();
    [[nodiscard]] std::optional<link::Disposition> refuse_unfenced(LeaseKey lease, const link::InboundMessage& message);
    [[nodiscard]] Status take_subscribe(PeerIndex peer, const wire::Record& record);
    [[nodiscard]] Status take_unsubscribe(PeerIndex peer, const wire::Record& record);
    void end_of_table(PeerIndex peer);
    void forget(RemoteSubscription& row);
    void tell(EventKind kind, NodeId node, SubscriptionId subscription);
    void release_held(Instant now);
    [[nodiscard]] Status replay_remote(std::span<const std::byte> bytes);
    [[nodiscard]] Status replay_removed(std::span<const std::byte> bytes);
    [[nodiscard]] Status replay_position(std::span<const std::byte> bytes);
    [[nodiscard]] Status emit_remote(std::uint32_t& index, const EmitRecord& emit) const;
    [[nodiscard]] static Status emit_position(PositionSlot slot, std::uint64_t value, const EmitRecord& emit);

    BusShared shared_;
    TopicTable topics_;
    LocalSubscriptions local_;
    RemoteSubscriptions remote_;
    Advertiser advertiser_;
    FenceGate fences_;
    KeyTable keys_;
    OutboxLog log_;
    std::uint64_t publish_position_ = 0;
    std::uint64_t receive_position_ = 0;
    Instant fences_at_ = kNever;  // when to ask again for what is held since the journal had no room for its floor
    bool delivering_ = true;
    bool release_due_ = false;  // what was held for a durable subscription that came back, or for a key, can go on
    bool keys_full_ = false;    // and that was told
};

}  // namespace dunlin::bus
