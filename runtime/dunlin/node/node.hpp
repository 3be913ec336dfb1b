#pragma once

#include <dunlin/bus/bus.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/journal/device.hpp>
#include <dunlin/journal/format_info.hpp>
#include <dunlin/ledger/lease_holder.hpp>
#include <dunlin/node/io.hpp>
#include <dunlin/node/mailbox.hpp>
#include <dunlin/node/node_storage.hpp>
#include <dunlin/node/options.hpp>
#include <dunlin/node/status_report.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace dunlin {

// One member of a cluster: a deterministic state machine that does no IO. The caller owns the loop: it passes in time,
// datagrams and completed journal operations, and takes out packets, journal operations and events.
//
//     node.start(now);
//     loop: on_datagram / on_path / on_journal / on_timeout as they happen, then
//           poll_journal, poll_connect, poll_event, poll_transmit until each is empty,
//           then sleep until next_deadline() or the next input.
//
// Peers: what was settled of a publisher's messages is known as long as the publisher has a slot, and only that keeps a
// message that comes again from its handler. In a full table a peer's slot goes to another one only where no session is
// open, nothing is owed to it and it is not dialled from here. Of those, the ones of whom nothing was ever settled go first;
// then publishers that said goodbye or were silent for an hour. Others, that may send again, give way only to peers of this
// node's own configuration and the cluster's members. A hello of another cluster gets no slot.
//
// Handlers run inside on_*(); they may call the bus and the coordination calls, never on_*() or poll_*() (asserted).
// Not thread-safe: one thread calls it. `Mailbox` is the way in from elsewhere. Memory: NodeMemory<limits>.
class Node {
  public:
    Node(const NodeStorage& storage, const Options& options);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    // Starts recovery from the journal, if there is one, else the node is ready at once. Call once. Nothing is sent
    // before Event::started. invalid_argument: see validate(). device_full: the journal's device is smaller than
    // journal_device_bytes_min<Limits>(), so that it could fill up for good.
    Status start(Instant now);
    // Stops granting, publishing and handing messages to handlers, releases leases, hands leadership over where it can,
    // waits until every outcome of this node's publishes was polled and every publisher knows what became of its messages here,
    // then says goodbye. drained() tells when that is done; the caller sets its own limit. Before `started`: `failed`, shutting_down.
    void shutdown(Instant now);
    [[nodiscard]] bool drained() const;

    // ---- Input ------------------------------------------------------------------------------------------------
    void on_datagram(Instant now, PathId path, const PeerIdentity& identity, std::span<const std::byte> bytes);
    void on_path(Instant now, PathId path, const PathUpdate& update);
    void on_journal(Instant now, std::uint32_t operation, Status status, std::size_t bytes);
    void on_timeout(Instant now);

    // ---- Output -----------------------------------------------------------------------------------------------
    // Writes one packet into `buffer` (at least packet_bytes_max long); nothing when none is due. Packets of one path
    // come in a row. Work is bounded by what is ready. What time alone makes due is known to next_deadline(): where that is never
    // called, nor on_timeout(), a packet may wait for the next input (docs/decisions/0027).
    [[nodiscard]] std::optional<Transmit> poll_transmit(Instant now, std::span<std::byte> buffer);
    [[nodiscard]] std::optional<Dial> poll_connect();
    // At most one operation is outstanding; its buffer stays valid until on_journal() with its id.
    [[nodiscard]] std::optional<journal::DeviceOp> poll_journal();
    // Outcomes first, then results of requests, then the rest in order.
    [[nodiscard]] std::optional<Event> poll_event();
    [[nodiscard]] Instant next_deadline() const;  // kNever: wait for input

    // ---- Bus --------------------------------------------------------------------------------------------------
    // See bus/bus.hpp for what each returns at its limits.
    [[nodiscard]] Result<bus::Published> publish(Instant now, const bus::PublishOptions& options);
    [[nodiscard]] Result<bus::Published> publish_in_place(Instant now, const bus::PublishOptions& options, std::size_t bytes,
                                                          const link::PayloadWriter& write);
    [[nodiscard]] Result<SubscriptionId> subscribe(std::string_view filter, bus::Handler handler,
                                                   const bus::SubscribeOptions& options = {});
    Status unsubscribe(SubscriptionId subscription);
    // Ends a `pending` verdict; not_found where the message is no longer waiting.
    Status complete(Instant now, const bus::CompletionId& completion, bus::Verdict verdict);
    [[nodiscard]] std::uint16_t subscriber_count(std::string_view topic) const;
    // Publishes what waits in the mailbox. outbox_full, busy, recovering: the rest stays there, drain again later. What
    // publish() refuses for good (a bad topic, nobody listens) is dropped and counted as mailbox_refused.
    Status drain(Instant now, Mailbox& mailbox);
    // The application's position, made durable together with the watermarks of all messages settled so far.
    void store_receive_position(std::uint64_t position);
    // Positions as recovered from the journal, or 0.
    [[nodiscard]] std::uint64_t publish_position() const;
    [[nodiscard]] std::uint64_t receive_position() const;

    // ---- Coordination -----------------------------------------------------------------------------------------
    // Each call ends in one Event::request_done with its id, by Options::request_timeout at the latest.
    // busy: Limits::requests are under way. invalid_argument, too_large: name or value.
    [[nodiscard]] Result<RequestId> put(Instant now, std::string_view key, std::span<const std::byte> value);  // event: value = revision
    [[nodiscard]] Result<RequestId> get(Instant now, std::string_view key);                                    // event: value = revision
    // The bytes that a get() returned; valid until the next call of poll_event().
    [[nodiscard]] std::span<const std::byte> value_of(RequestId request) const;
    // The cluster's voters and those that are to be voters; at a voter alone, as of the last entry that it has applied: see
    // StatusReport::members_index. Slots without a member have storage 0; slot < kVotersMax.
    [[nodiscard]] ledger::MemberRow member(std::size_t slot) const;
    // See ledger::MemberCommand. Refused: not_found, ledger_full, invalid_argument where it would change nothing or leave no voter;
    // timed_out also where a learner that is to vote does not catch up. Event: value = log index of the change.
    [[nodiscard]] Result<RequestId> change_member(Instant now, const ledger::MemberCommand& command);
    // Has the voter `to` lead; ok when it does.
    [[nodiscard]] Result<RequestId> transfer_leadership(Instant now, NodeId to);
    // Wants the lease until it is released: acquires it as soon as it is free and renews it. lease() tells its state.
    // ttl: 100 ms..1 h. Events: lease_held, lease_jeopardy, lease_lost.
    [[nodiscard]] Result<ledger::LeaseHandle> acquire_lease(Instant now, std::string_view name, Duration ttl);
    void release_lease(Instant now, ledger::LeaseHandle handle);
    [[nodiscard]] ledger::LeaseView lease(ledger::LeaseHandle handle) const;

    // ---- Introspection ----------------------------------------------------------------------------------------
    [[nodiscard]] NodeId id() const { return self_.id; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] StatusReport status(Instant now) const;
    [[nodiscard]] bool failed() const { return state_ == RunState::failed; }
    Status failure() const { return failed() ? status_ : Status::ok; }  // as in Event::failed; ok: it has not
    // The i-th peer in use, or nothing past the last.
    [[nodiscard]] std::optional<PeerReport> peer(Instant now, std::size_t i) const;

  private:
    // No node ever starts so often. To claim the epoch after a higher one, which a broken or a hostile peer may tell, could end
    // in an epoch of 0, in the journal for good: it is counted as an identity conflict.
    static constexpr BootEpoch kEpochKnownMax{0x7fffffff};

    // What would be lost with a peer's slot, the least first.
    enum class SlotUse : std::uint8_t {
        none,
        settled_long_ago,  // what was settled of its messages, though it will not send them again
        settled,
        needed,  // a session, something owed to it, or an address of ours
    };
    // What a checkpoint writes next.
    enum class CheckpointStage : std::uint8_t { format, bind, epoch, coordinator, bus, links, done };
    struct Checkpoint {
        bus::EmitCursor bus{};
        std::uint32_t position = 0;
        CheckpointStage stage = CheckpointStage::done;
    };

    // ---- node.cpp
    [[nodiscard]] link::Link& link_of(PeerIndex peer) const { return links_[peer.value()]; }
    [[nodiscard]] link::Link* link_in_use(PeerIndex peer) const { return peers_.in_use(peer) ? &links_[peer.value()] : nullptr; }
    [[nodiscard]] Status may_publish() const;
    [[nodiscard]] Status may_ask();
    void become_ready(Instant now);
    [[nodiscard]] bool may_say_goodbye(Instant now) const;
    void continue_shutdown(Instant now);
    void advance(Instant now);
    void loop_back(Instant now);
    void read_fence_floors(Instant now);
    void take_fence_floors(Instant now);

    // ---- node_peers.cpp
    [[nodiscard]] SlotUse slot_use(Instant now, PeerIndex peer) const;
    [[nodiscard]] bool make_room(Instant now, SlotUse most);
    [[nodiscard]] PeerIndex take_peer(Instant now, SlotUse most);
    [[nodiscard]] PeerIndex ensure_peer(Instant now, NodeId node, SlotUse most);
    [[nodiscard]] bool void_watermark(PeerIndex peer);
    void name_peer(PeerIndex peer, NodeId node);
    void free_peer(Instant now, PeerIndex peer);
    [[nodiscard]] StorageId member_storage(NodeId node) const;
    void dial_members(Instant now, std::span<const ledger::MemberRow> members);
    void forget_address(Instant now, PeerIndex peer);
    void forget_members(Instant now, std::span<const ledger::MemberRow> members);
    void take_members(Instant now);
    void take_voter_set(Instant now, const ledger::VoterSetReader& told);
    void take_news(Instant now, PeerIndex peer);
    void on_session_opened(Instant now, PeerIndex peer);
    void bind(Instant now, ClusterIncarnation cluster);
    void raise_epoch(Instant now, BootEpoch known);
    void restart_links(Instant now);
    [[nodiscard]] bool remembers(PeerIndex peer) const;
    [[nodiscard]] bool is_stranger(PeerIndex peer) const;
    void end_patience(Instant now);
    [[nodiscard]] Instant patience_deadline() const;

    // ---- node_seeds.cpp
    void dial_seeds(Instant now);
    void merge_seed(Instant now, PeerIndex seed, PeerIndex peer);
    [[nodiscard]] bool is_silent_seed(PeerIndex peer) const;
    void ask_anew(Instant now, PeerIndex peer);
    void predecessor_gone(NodeId node);

    // ---- node_io.cpp
    [[nodiscard]] bool admits(wire::PacketReader reader);
    void on_hello(Instant now, PathId path, wire::PacketReader& reader);
    void on_session_packet(Instant now, PathId path, wire::PacketReader& reader);
    [[nodiscard]] bool dispatch(Instant now, PeerIndex peer, const wire::Record& record);
    [[nodiscard]] bool wants_to_send(Instant now, PeerIndex peer) const;
    [[nodiscard]] Transmit packet_of(Instant now, PeerIndex peer, std::span<std::byte> buffer);
    [[nodiscard]] std::size_t fill_packet(Instant now, PeerIndex peer, std::span<std::byte> buffer);

    // ---- node_journal.cpp
    void replay_recovered(Instant now);
    [[nodiscard]] Status replay(Instant now, const journal::RecoveredRecord& record);
    void finish_recovery(Instant now);
    void fail(Status status);
    void note_durable(Instant now);
    void store_watermarks();
    void append_own_records();
    void continue_checkpoint();
    [[nodiscard]] Status emit_next();
    [[nodiscard]] Status emit_watermarks();
    [[nodiscard]] Status emit_bus();
    [[nodiscard]] bus::EmitRecord checkpoint_emit();

    Counters counters_;
    Random random_;
    EventQueue events_;
    journal::Journal journal_;
    link::LinkSelf self_;
    link::Outbox outbox_;
    link::Inbox inbox_;
    PeerTable peers_;
    link::InboundSink sink_;
    link::LinkShared shared_;
    std::span<link::Link> links_;
    bus::Bus bus_;
    membership::FailureDetector detector_;
    ledger::Client client_;
    ledger::LeaseHolder leases_;
    Coordinator* coordinator_ = nullptr;

    std::span<const std::string_view> seeds_;  // that had no slot yet
    RequestId last_value_of_{};
    std::uint64_t journal_bytes_;  // 0: no journal
    StreamId journal_stream_{};    // as recovered
    Checkpoint checkpoint_{};
    Instant last_now_{};
    mutable Instant nothing_until_{};      // whichever peers had nothing to send have nothing before, if nothing happens
    Instant drain_until_leader_ = kNever;  // waits no longer for leadership to be handed over
    std::span<const std::byte> last_value_{};
    JournalSequence watermark_gate_{};  // of the last batch of watermarks
    LeaseKey floor_read_lease_{};
    RequestId floor_read_{};
    PeerIndex next_to_send_{};
    Status status_;  // what start() has against the options, or why the node failed
    RunState state_ = RunState::created;
    bool inside_ = false;
    bool epoch_to_store_ = false;
    bool bind_to_store_ = false;
    bool position_to_store_ = false;
    bool said_goodbye_ = false;
};

}  // namespace dunlin
