#pragma once

#include <dunlin/core/assert.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/ack_tracker.hpp>
#include <dunlin/link/credit.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/link/lane_receiver.hpp>
#include <dunlin/link/lane_scheduler.hpp>
#include <dunlin/link/lane_sender.hpp>
#include <dunlin/link/link_shared.hpp>
#include <dunlin/link/outbox.hpp>
#include <dunlin/link/packet_size.hpp>
#include <dunlin/link/packet_space.hpp>
#include <dunlin/link/session.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::link {

// A lane, both ways.
struct LaneEnds {
    LaneSender sender;
    LaneReceiver receiver;
};

// Per-peer arrays behind a Link; see link_memory.hpp.
struct LaneStorage {
    std::span<std::uint16_t> window{};  // deliveries in the lane: Limits::lane_window
    SettlementStorage settlements{};
};
struct LinkStorage {
    std::span<std::byte> ends{};                 // the lanes are made in it: Limits::lanes x LaneEnds, aligned so
    std::array<LaneStorage, kLanesMax> lanes{};  // the first Limits::lanes of them
    std::span<SentAlias> sender_aliases{};       // Limits::aliases_per_peer
    std::span<ReceivedAlias> receiver_aliases{};
    std::span<SentPacket> sent{};  // Limits::packets_in_flight_per_peer + 2
    std::span<NumberRange> ack_ranges{};
};

// What happened since it was last asked; bits.
enum LinkNews : std::uint8_t {
    kSessionOpened = 1,
    kSessionClosed = 2,
    kPeerEpochEnded = 4,  // goodbye, or a newer process of the peer: its volatile subscriptions are gone
    kClusterLearnt = 8,   // session_cluster() is not 0 while this node is unbound: bind to it
};

// One conversation with one peer: sessions, packets, and its lanes each way. node/ routes packets to it, asks it for
// packets, and tells it the time. Every call is O(work at hand).
class Link {
  public:
    Link(const LinkStorage& storage, const LinkShared& shared, PeerIndex index);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // ---- who ------------------------------------------------------------------------------------------------------
    // The peer is this node; before the first session where it is known (configuration, journal).
    void set_peer(NodeId peer);
    [[nodiscard]] NodeId peer_id() const { return session_.peer_id(); }               // 0: not known yet
    [[nodiscard]] BootEpoch peer_epoch() const { return session_.peer_epoch(); }      // highest proved; 0: no session yet
    [[nodiscard]] StorageId peer_storage() const { return session_.peer_storage(); }  // 0: none
    [[nodiscard]] bool peer_is_voter() const { return session_.peer_is_voter(); }
    [[nodiscard]] bool session_open() const { return session_.open(); }
    [[nodiscard]] ClusterIncarnation session_cluster() const {
        return session_.cluster();
    }  // of the open session; 0: neither side is bound
    [[nodiscard]] PathId session_path() const { return session_.path(); }
    [[nodiscard]] PathId dial_path() const { return session_.dial_path(); }  // of the last dial()
    [[nodiscard]] Duration rtt() const {                                     // smoothed; 0: none measured
        return space_.rtt().measured() ? space_.rtt().smoothed() : Duration{0};
    }
    [[nodiscard]] Instant last_heard() const { return session_.last_heard(); }  // the last packet of an open session
    [[nodiscard]] std::uint32_t packets_lost() const { return space_.lost(); }
    [[nodiscard]] std::uint16_t packet_bytes() const { return session_open() ? size_.size() : std::uint16_t{0}; }  // of a whole packet now
    [[nodiscard]] std::uint8_t take_news();  // LinkNews bits since the last call
    // The epoch known to a peer that refused this node's as stale, where it is safe to claim a later one; 0: none.
    // node/ then raises LinkSelf::epoch above it and restarts all links.
    [[nodiscard]] BootEpoch epoch_refused() const { return session_.epoch_refused(); }

    // ---- sessions -------------------------------------------------------------------------------------------------
    // Keeps trying to open a session over `path`, now and after each loss of one (full jitter, 50 ms .. 2 s).
    void dial(Instant now, PathId path) { session_.dial(now, path); }
    // A session that is open stays.
    void stop_dialling() { session_.stop_dialling(); }
    // The transport lost the path: a session over it closes, dialling over it stops.
    void path_down(Instant now, PathId path);
    // No settlement of this side waits to be said, or to be acknowledged: a goodbye would cost the peer nothing.
    [[nodiscard]] bool may_close() const;
    // Says goodbye in the next packet, which closes the session; dialling stops.
    void close();
    // This node's epoch or cluster changed: drops the session without a word and dials again if it dialled.
    void restart(Instant now);
    // The slot gets another peer, or none: drops session, streams and what waits; deliveries end as peer_removed.
    void reset(Instant now);

    // ---- packets in -----------------------------------------------------------------------------------------------
    // A packet with session 0. May open a session (news). `voter_storage`: HelloPacket::voter_storage of its source.
    HelloResult on_hello_packet(Instant now, PathId path, StorageId voter_storage, wire::PacketReader& reader);
    // Whether this hello, or refusal by a node of this cluster, answers what this side says in its own: who sent it was sent that, and
    // only who is on the path can be. Changes nothing; the reader is a copy.
    [[nodiscard]] bool is_answered_by(wire::PacketReader reader) const;
    // A packet of a session: false where it is not of the open one, or a duplicate (counted); then drop it. After true:
    // on_record() for each record, and packet_done(). Closes a session in which nothing was heard for too long (news).
    [[nodiscard]] bool accept(Instant now, PathId path, const wire::PacketHeader& header);
    // ack, ping, goodbye, run, settlement, skip, alias_declare. False: another folder's record.
    bool on_record(Instant now, const wire::Record& record);
    // `bytes`: the whole packet. `ack_eliciting`, `stored`: of the other folders' records; a packet that was not stored is not
    // acknowledged, and its content comes again in another.
    void packet_done(Instant now, std::size_t bytes, bool ack_eliciting, bool stored);

    // ---- packets out ----------------------------------------------------------------------------------------------
    // A hello or a refusal that is due, whole, and the path to send it over; 0: none. `buffer` >= 576 bytes.
    [[nodiscard]] std::size_t write_handshake(Instant now, std::span<std::byte> buffer, PathId& path);
    // The link has something for a session packet now.
    [[nodiscard]] bool wants_to_send(Instant now) const;
    // A packet of padding that is due, to see whether one so long arrives; 0: none. Before other packets.
    [[nodiscard]] std::size_t write_size_probe(Instant now, std::span<std::byte> buffer, PathId& path);
    // A packet of the session (which is open): begin_packet, write_control, other folders' records, write_lane, finish.
    [[nodiscard]] wire::PacketWriter begin_packet(std::span<std::byte> buffer);
    // Records that elicit an ack may be added: there is room to remember the packet.
    [[nodiscard]] bool may_elicit() const { return space_.control_fits(); }
    void write_control(Instant now, wire::PacketWriter& writer);
    void write_lane(Instant now, wire::PacketWriter& writer);
    // The packet's size; 0: nothing was written, forget it. `others_ack_eliciting`: other folders added such records.
    [[nodiscard]] std::size_t finish_packet(Instant now, wire::PacketWriter& writer, bool others_ack_eliciting);

    // ---- time -----------------------------------------------------------------------------------------------------
    [[nodiscard]] Instant next_deadline() const;
    // Where it has nothing to send now, that stays so until next_deadline(), if nothing else happens. False: what it waits for comes
    // without a deadline.
    [[nodiscard]] bool has_deadline() const { return endings_kept() && !size_.probe_owed(); }
    void on_timeout(Instant now);

    // ---- lanes ----------------------------------------------------------------------------------------------------
    // Those of this node, by their numbers. A lane that it was not built with must not be asked for (asserted).
    [[nodiscard]] std::size_t lane_count() const { return lane_count_; }
    [[nodiscard]] bool has_lane(std::size_t number) const { return number < lane_count_; }
    [[nodiscard]] LaneSender& sender(Lane lane = Lane::normal) { return ends(lane).sender; }
    [[nodiscard]] const LaneSender& sender(Lane lane = Lane::normal) const { return ends(lane).sender; }
    [[nodiscard]] LaneReceiver& receiver(Lane lane = Lane::normal) { return ends(lane).receiver; }
    [[nodiscard]] const LaneReceiver& receiver(Lane lane = Lane::normal) const { return ends(lane).receiver; }
    // Where a message of `wanted` goes: there, or in the normal lane where the peer has no such one.
    [[nodiscard]] Lane lane_towards(Lane wanted) const;
    // LaneSender::restore(); table_full: this node was built without the lane.
    [[nodiscard]] Status restore(Instant now, std::uint16_t delivery, Lane lane, Sequence sequence);
    // Something that was accepted for the peer, in any lane, is not settled.
    [[nodiscard]] bool owes_messages() const;
    // To all lanes.
    void subscription_gone(SubscriptionId subscription);
    void end_volatile_deliveries();
    void release_held(Instant now);
    void on_durable(JournalSequence durable);
    [[nodiscard]] std::span<LaneEnds> lanes() { return {lanes_, lane_count_}; }
    [[nodiscard]] std::span<const LaneEnds> lanes() const { return {lanes_, lane_count_}; }

  private:
    void session_opened(Instant now, const HelloPacket& packet, bool replaces);
    [[nodiscard]] StreamId stream();
    void add_news(LinkNews news);
    void drop_session(Instant now);
    void on_fate(Instant now, const SentPacket& packet, PacketFate fate);
    void note_size(PacketSize::Change change);
    [[nodiscard]] std::uint16_t packet_bytes_now() const;
    [[nodiscard]] bool settlements_owed() const;
    [[nodiscard]] bool owes_outcomes() const;
    [[nodiscard]] Credit credit() const;
    [[nodiscard]] bool credit_news() const;
    [[nodiscard]] bool settlement_due(Instant now) const;
    [[nodiscard]] bool endings_kept() const;
    void peer_epoch_ended();
    void peer_has_lanes(std::uint8_t stated);
    [[nodiscard]] bool sane_lane(std::uint8_t number);
    void open_lanes();
    // Lanes with messages to send, and with skips, whether or not they may now.
    struct Wanting {
        LaneSet messages;
        LaneSet skips;
        [[nodiscard]] LaneSet any() const { return messages.with(skips); }
    };
    [[nodiscard]] Wanting wanting() const;
    [[nodiscard]] Instant ready_at(Lane lane) const;
    [[nodiscard]] std::optional<Lane> next_lane(Instant now) const;
    void write_settlements(wire::PacketWriter& writer);
    void write_messages(Instant now, LaneSender& sender, wire::PacketWriter& writer);
    [[nodiscard]] LaneEnds& ends(Lane lane) {
        DUNLIN_ASSERT(has_lane(index_of(lane)));
        return lanes_[index_of(lane)];
    }
    [[nodiscard]] const LaneEnds& ends(Lane lane) const {
        DUNLIN_ASSERT(has_lane(index_of(lane)));
        return lanes_[index_of(lane)];
    }
    [[nodiscard]] PacketDraft& draft() { return shared_->self.draft; }

    Session session_;
    PacketSpace space_;
    PacketSize size_;
    AckTracker acks_;
    LaneSending sending_;
    ReceivedAliases received_aliases_;
    LaneEnds* lanes_;
    Instant settle_at_ = kNever;  // when an owed settlement leaves at the latest
    const LinkShared* shared_;
    LaneScheduler scheduler_;
    Credit told_{};                  // in the last settlement of this session
    std::uint32_t barrier_low_ = 0;  // lanes from lanes_open_ on wait until the normal one has settled all before it
    std::uint8_t news_ = 0;
    std::uint8_t lane_count_;
    std::uint8_t lanes_used_ = 1;  // the peer has so many of them
    std::uint8_t lanes_open_ = 1;
    bool reading_ : 1 = false;  // a packet of this session, LinkSelf::reading
    bool current_eliciting_ : 1 = false;
    bool current_stored_ : 1 = true;
    bool current_messages_ : 1 = false;
    bool credit_owed_ : 1 = false;  // the peer sends what there is no room for
    bool ping_owed_ : 1 = false;
    bool goodbye_owed_ : 1 = false;
    bool goodbye_heard_ : 1 = false;
};

}  // namespace dunlin::link
