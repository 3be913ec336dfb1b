#include <dunlin/core/assert.hpp>
#include <dunlin/link/link.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

// Settlements that the messages of a well-filled packet gave rise to are gathered for this long, since more of them follow; a
// publisher that had no more to say waits for nothing but them, and hears at once.
constexpr Duration kSettlementDelay = milliseconds{2};

// Any fragment of a message fits (link/fragments.hpp).
constexpr std::uint16_t kPacketBytesFloor = wire::kPacketBytesMin;

}  // namespace

Link::Link(const LinkStorage& storage, const LinkShared& shared, PeerIndex index)
    : session_(shared),
      space_(storage.sent, shared),
      acks_(storage.ack_ranges),
      sender_(storage.window, storage.sender_aliases, shared),
      receiver_(storage.settlements, storage.receiver_aliases, shared, index),
      shared_(&shared) {}

void Link::set_peer(NodeId peer) {
    session_.set_peer(peer);
    receiver_.set_publisher(peer);
}

std::uint8_t Link::take_news() {
    const std::uint8_t news = news_;
    news_ = 0;
    return news;
}

void Link::add_news(LinkNews news) { news_ = static_cast<std::uint8_t>(news_ | news); }

// ---- sessions -------------------------------------------------------------------------------------------------------

void Link::path_down(Instant now, PathId path) {
    if (session_.dial_path() == path) session_.stop_dialling();
    if (session_.open() && session_.path() == path) drop_session(now);
}

void Link::close() {
    session_.stop_dialling();
    goodbye_owed_ = session_.open();
}

void Link::restart(Instant now) {
    if (session_.open()) {
        drop_session(now);
    } else {
        session_.close(now);
    }
}

void Link::reset(Instant now) {
    if (session_.open()) drop_session(now);
    session_.forget();
    sender_.reset();
    receiver_.reset();
    news_ = 0;
}

void Link::drop_session(Instant now) {
    shared_->counters.add(Counter::sessions_closed);
    shared_->events.push({.kind = EventKind::session_closed, .node = session_.peer_id()});
    add_news(kSessionClosed);
    session_.close(now);
    space_.reset(shared_->self.packet_bytes_max);
    acks_.reset();
    sender_.session_closed(now);
    receiver_.session_closed();
    settle_at_ = kNever;
    reading_ = false;
    ping_owed_ = goodbye_owed_ = goodbye_heard_ = false;
}

// This side's numbering gets its name when it is first stated.
StreamId Link::stream() {
    if (sender_.stream() == StreamId{}) {
        const StreamId durable = shared_->self.stream;
        sender_.set_stream(durable != StreamId{} ? durable : StreamId{shared_->random.next_nonzero_u64()});
    }
    return sender_.stream();
}

HelloResult Link::on_hello_packet(Instant now, PathId path, StorageId voter_storage, wire::PacketReader& reader) {
    HelloPacket packet{.header = reader.header(), .path = path, .voter_storage = voter_storage};
    bool hello = false;
    for (wire::Record record; reader.next(record);) {
        if (record.type == wire::RecordType::hello_refused)
            session_.on_refused(now, NodeId{packet.header.source()}, record.as<wire::HelloRefused>());
        if (record.type == wire::RecordType::hello) {
            hello = true;
            packet.hello = record.as<wire::Hello>();
            packet.cluster_name = {reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()};
        }
        if (record.type == wire::RecordType::lane_state && record.as<wire::LaneState>().lane() == 0)
            packet.lane = record.as<wire::LaneState>();
    }
    if (!hello) return HelloResult::ignored;
    const bool was_open = session_.open();
    const HelloResult result = session_.on_hello(now, packet);
    if (result == HelloResult::opened) session_opened(now, packet, was_open);
    if (session_.take_confirmation_owed()) ping_owed_ = true;
    return result;
}

void Link::session_opened(Instant now, const HelloPacket& packet, bool replaces) {
    if (replaces) {
        shared_->counters.add(Counter::sessions_closed);
        receiver_.session_closed();
        add_news(kSessionClosed);
    }
    size_.reset(now, session_.packet_bytes(), kPacketBytesFloor);
    space_.reset(size_.size());
    acks_.reset();
    settle_at_ = kNever;
    goodbye_owed_ = goodbye_heard_ = false;
    shared_->counters.add(Counter::sessions_opened);
    shared_->events.push({.kind = EventKind::session_opened, .node = session_.peer_id(), .value = session_.peer_epoch().value()});
    add_news(kSessionOpened);
    if (shared_->self.cluster == ClusterIncarnation{} && session_.cluster() != ClusterIncarnation{}) add_news(kClusterLearnt);
    if (session_.peer_process() == PeerProcess::newer) {
        add_news(kPeerEpochEnded);
        sender_.peer_epoch_ended();
    }
    const bool has_memory = session_.peer_process() == PeerProcess::same && StreamId{packet.lane.stream()} == stream();
    sender_.session_opened(now, has_memory);
    receiver_.set_publisher(session_.peer_id());
    receiver_.session_opened(now, StreamId{packet.hello.stream()}, Sequence{packet.lane.first_unsettled()});
}

std::size_t Link::write_handshake(Instant now, std::span<std::byte> buffer, PathId& path) {
    if (!session_.wants_to_write(now) || !sender_.endings_kept()) return 0;
    const SettlementBook& settled = receiver_.settlements();
    const wire::LaneState lane(settled.stream().value(), settled.reported_cumulative().value(), sender_.first_unsettled().value(), 0, 0, 0,
                               0);
    const std::size_t bytes = session_.write(now, lane, stream(), buffer, path);
    if (bytes > 0) sender_.note_stated();
    return bytes;
}

// ---- packets in -----------------------------------------------------------------------------------------------------

bool Link::accept(Instant now, PathId path, const wire::PacketHeader& header) {
    // This process was stopped for longer than the peer waits: what it finds in its socket is of the past, and no measure of
    // the path.
    if (session_.idle(now)) drop_session(now);
    if (!session_.accepts(path, header)) return false;
    const PacketNumber number{header.number()};
    if (acks_.is_duplicate(number)) {
        shared_->counters.add(Counter::packets_duplicate);
        return false;
    }
    session_.heard(now);
    reading_ = true;
    shared_->self.reading = number;
    current_eliciting_ = false;
    current_stored_ = true;
    current_messages_ = false;
    return true;
}

bool Link::on_record(Instant now, const wire::Record& record) {
    const auto number_low = static_cast<std::uint32_t>(shared_->self.reading.value());
    bool stored = true;
    switch (record.type) {
        case wire::RecordType::ack: {
            auto fate = [this, now](const SentPacket& packet, PacketFate what) { on_fate(now, packet, what); };
            (void)space_.on_ack(now, record, FateSink::of(fate));
            return true;
        }
        case wire::RecordType::goodbye: goodbye_heard_ = true; return true;
        case wire::RecordType::ping: break;
        case wire::RecordType::alias_declare: stored = receiver_.on_alias(number_low, record); break;
        case wire::RecordType::run:
            stored = receiver_.on_run(now, number_low, record);
            current_messages_ = true;
            break;
        case wire::RecordType::skip: stored = receiver_.on_skip(now, record); break;
        case wire::RecordType::settlement:
            if (sender_.on_settlement(record)) space_.on_progress();
            break;
        default: return false;
    }
    current_eliciting_ = true;
    current_stored_ = current_stored_ && stored;
    return true;
}

void Link::packet_done(Instant now, std::size_t bytes, bool ack_eliciting, bool stored) {
    if (!reading_) return;
    reading_ = false;
    if (current_stored_ && stored) acks_.on_received(now, shared_->self.reading, current_eliciting_ || ack_eliciting);
    if (current_messages_ && receiver_.settlements().owed()) {
        const bool more_follows = 2 * bytes >= session_.packet_bytes();
        settle_at_ = more_follows ? earlier(settle_at_, now + kSettlementDelay) : now;
    }
    if (!goodbye_heard_) return;
    add_news(kPeerEpochEnded);
    sender_.peer_epoch_ended();
    drop_session(now);
}

void Link::note_size(PacketSize::Change change) {
    if (change == PacketSize::Change::none) return;
    shared_->counters.add(change == PacketSize::Change::raised ? Counter::packet_sizes_raised : Counter::packet_sizes_lowered);
    space_.set_packet_bytes(size_.size());
}

// Where nothing was heard of packets of this size for a while, the next ones are of a size that is safe.
std::uint16_t Link::packet_bytes_now() const { return space_.size_in_doubt() ? size_.safe_size() : size_.size(); }

void Link::on_fate(Instant now, const SentPacket& packet, PacketFate fate) {
    if (fate == PacketFate::acked) {
        note_size(size_.on_acked(now, packet.bytes(), packet.is_size_probe()));
        sender_.on_packet_acked(packet);
        receiver_.on_packet_acked(now, packet);
        if (packet.carried_ack) acks_.on_ack_acked(packet.ack_largest_low);
        return;
    }
    if (fate == PacketFate::lost) {
        note_size(size_.on_lost(now, packet.bytes(), packet.is_size_probe()));
        if (packet.probed) return;
    }
    sender_.on_packet_lost(packet);
    if (fate == PacketFate::probe) sender_.probe_first();
    if (packet.settlement) receiver_.settlements().owe();
}

// ---- packets out ----------------------------------------------------------------------------------------------------

// With nothing to say otherwise, a settlement waits for those of the next packets; what a handler completes, a journal made
// durable or a lost packet owes leaves at once.
bool Link::settlement_due(Instant now) const {
    return receiver_.settlements().owed() && (settle_at_ == kNever || settle_at_ <= now || acks_.due() <= now);
}

bool Link::wants_to_send(Instant now) const {
    if (!session_.open()) return false;
    const bool kept = sender_.endings_kept();
    if (goodbye_owed_ || (kept && acks_.due() <= now)) return true;
    const bool control = settlement_due(now) || (kept && sender_.owes_skips()) || ping_owed_ || space_.probe_owed();
    if (control && space_.control_fits()) return true;
    return space_.data_ready_at() <= now && sender_.wants_to_send();
}

std::size_t Link::write_size_probe(Instant now, std::span<std::byte> buffer, PathId& path) {
    const bool may = session_.open() && size_.probe_owed() && !goodbye_owed_ && space_.data_ready_at() <= now;
    if (!may || buffer.size() < size_.probe_bytes()) return 0;
    draft() = {};
    wire::PacketWriter writer(buffer.first(size_.probe_bytes()));
    const bool begun = writer.begin(wire::RecordType::ping, wire::Ping(0));
    const bool filled = begun && !writer.extend(writer.room()).empty();
    DUNLIN_ASSERT(filled);
    writer.end();
    draft().eliciting = true;
    draft().sent.set_size_probe();
    path = session_.path();
    size_.on_probe_sent();
    shared_->counters.add(Counter::packet_size_probes);
    return finish_packet(now, writer, false);
}

wire::PacketWriter Link::begin_packet(std::span<std::byte> buffer) {
    DUNLIN_ASSERT(session_.open());
    draft() = {};
    return wire::PacketWriter(buffer.first(std::min<std::size_t>(buffer.size(), packet_bytes_now())));
}

void Link::write_control(Instant now, wire::PacketWriter& writer) {
    const auto number_low = static_cast<std::uint32_t>(space_.next_number().value());
    const bool kept = sender_.endings_kept();
    if (goodbye_owed_) draft().goodbye = writer.record(wire::RecordType::goodbye, wire::Goodbye(0, 0));
    if (space_.control_fits()) {
        if (settlement_due(now) && receiver_.settlements().write(number_low, writer)) {
            shared_->counters.add(Counter::settlements_sent);
            draft().sent.settlement = true;
            draft().eliciting = true;
            settle_at_ = kNever;
        }
        if (kept && sender_.owes_skips() && sender_.write_skips(writer, draft().sent)) draft().eliciting = true;
    }
    if (kept && acks_.due() != kNever && acks_.write(now, writer)) {
        draft().sent.carried_ack = true;
        draft().sent.ack_largest_low = static_cast<std::uint32_t>(acks_.largest().value());
    }
}

void Link::write_lane(Instant now, wire::PacketWriter& writer) {
    const bool room = space_.data_ready_at() <= now || (space_.probe_owed() && space_.control_fits());
    if (room && sender_.wants_to_send() && sender_.write(now, space_.next_number(), packet_bytes_now(), writer, draft().sent)) {
        draft().eliciting = true;
    }
    if (!ping_owed_ && !space_.probe_owed()) return;
    if (draft().eliciting || !space_.control_fits()) return;
    if (writer.record(wire::RecordType::ping, wire::Ping(0))) draft().eliciting = true;
}

std::size_t Link::finish_packet(Instant now, wire::PacketWriter& writer, bool others_ack_eliciting) {
    if (writer.empty()) return 0;
    const PacketNumber number = space_.take_number();
    const std::size_t bytes = writer.finish(session_.header(number));
    if (draft().eliciting || others_ack_eliciting) {
        DUNLIN_ASSERT(space_.control_fits());
        space_.on_sent(now, number, bytes, draft().sent);
        ping_owed_ = false;
    }
    if (draft().goodbye) drop_session(now);
    return bytes;
}

// ---- time -----------------------------------------------------------------------------------------------------------

Instant Link::next_deadline() const {
    Instant deadline = earlier(sender_.next_deadline(), receiver_.next_deadline());
    // Hellos and acks wait for the journal.
    if (sender_.endings_kept()) deadline = earlier(deadline, earlier(session_.next_deadline(), acks_.due()));
    if (!session_.open()) return deadline;
    deadline = earlier(deadline, earlier(space_.next_deadline(), size_.next_deadline(session_.last_heard())));
    // What may leave at once is asked for without a deadline.
    const Instant paced = space_.data_ready_at();
    if (paced != Instant::min() && sender_.wants_to_send()) deadline = earlier(deadline, paced);
    if (receiver_.settlements().owed() && space_.control_fits()) deadline = earlier(deadline, settle_at_);
    return deadline;
}

void Link::on_timeout(Instant now) {
    if (session_.idle(now)) drop_session(now);
    if (session_.open()) {
        auto fate = [this, now](const SentPacket& packet, PacketFate what) { on_fate(now, packet, what); };
        space_.on_timeout(now, FateSink::of(fate));
        size_.on_timeout(now);
    }
    sender_.on_timeout(now);
    receiver_.on_timeout(now);
}

}  // namespace dunlin::link
