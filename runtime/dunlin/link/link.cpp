#include <dunlin/core/assert.hpp>
#include <dunlin/link/link.hpp>

#include <algorithm>
#include <new>

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
      sending_{SentAliases(storage.sender_aliases), CreditAccount(storage.ends.size() / sizeof(LaneEnds))},
      received_aliases_(storage.receiver_aliases),
      lanes_(reinterpret_cast<LaneEnds*>(storage.ends.data())),
      shared_(&shared),
      lane_count_(static_cast<std::uint8_t>(storage.ends.size() / sizeof(LaneEnds))) {
    DUNLIN_ASSERT(lane_count_ >= 1 && lane_count_ <= kLanesMax);
    for (std::size_t i = 0; i < lane_count_; ++i) {
        const LaneStorage& lane = storage.lanes[i];
        const auto name = static_cast<Lane>(i);
        new (&lanes_[i]) LaneEnds{.sender = LaneSender(name, lane.window, sending_, shared),
                                  .receiver = LaneReceiver(name, lane.settlements, received_aliases_, shared, index)};
    }
}

void Link::set_peer(NodeId peer) {
    session_.set_peer(peer);
    for (LaneEnds& lane : lanes()) lane.receiver.set_publisher(peer);
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

bool Link::may_close() const {
    if (!session_open()) return true;
    return space_.in_flight() == 0 &&
           std::ranges::all_of(lanes(), [](const LaneEnds& lane) { return lane.receiver.settlements().said_all(); });
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
    sending_.aliases.clear();
    for (LaneEnds& lane : lanes()) {
        lane.sender.reset();
        lane.receiver.reset();
    }
    news_ = 0;
    lanes_used_ = lanes_open_ = 1;
}

void Link::drop_session(Instant now) {
    shared_->counters.add(Counter::sessions_closed);
    shared_->events.push({.kind = EventKind::session_closed, .node = session_.peer_id()});
    add_news(kSessionClosed);
    session_.close(now);
    space_.reset(shared_->self.packet_bytes_max);
    acks_.reset();
    for (LaneEnds& lane : lanes()) {
        lane.sender.session_closed(now);
        lane.receiver.session_closed();
    }
    settle_at_ = kNever;
    reading_ = false;
    ping_owed_ = goodbye_owed_ = goodbye_heard_ = false;
}

// This side's numbering gets its name when it is first stated.
StreamId Link::stream() {
    const StreamId durable = shared_->self.stream;
    if (sender().stream() == StreamId{}) {
        const StreamId name = durable != StreamId{} ? durable : StreamId{shared_->random.next_nonzero_u64()};
        for (LaneEnds& each : lanes()) each.sender.set_stream(name);
    }
    return sender().stream();
}

bool Link::endings_kept() const {
    return std::ranges::all_of(lanes(), [](const LaneEnds& lane) { return lane.sender.endings_kept(); });
}

void Link::peer_epoch_ended() {
    add_news(kPeerEpochEnded);
    end_volatile_deliveries();
}

bool Link::is_answered_by(wire::PacketReader reader) const {
    for (wire::Record record; reader.next(record);) {
        if (record.type == wire::RecordType::hello) return session_.is_fresh(SessionNonce{record.as<wire::Hello>().echo()});
        if (record.type != wire::RecordType::hello_refused) continue;
        const auto refused = record.as<wire::HelloRefused>();
        return refused.reason() != static_cast<std::uint8_t>(wire::RefuseReason::foreign_cluster) &&
               session_.is_fresh(SessionNonce{refused.echo()});
    }
    return false;
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
        if (record.type != wire::RecordType::lane_state) continue;
        const auto state = record.as<wire::LaneState>();
        if (state.lane() >= kLanesMax) continue;
        packet.lanes[state.lane()] = state;
        packet.lanes_stated = static_cast<std::uint8_t>(std::max<std::size_t>(packet.lanes_stated, state.lane() + 1U));
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
        for (LaneEnds& lane : lanes()) lane.receiver.session_closed();
        add_news(kSessionClosed);
    }
    size_.reset(now, session_.packet_bytes(), kPacketBytesFloor);
    space_.reset(size_.size());
    if (!session_.numbers_go_on()) space_.start_numbers();
    acks_.reset();
    settle_at_ = kNever;
    goodbye_owed_ = goodbye_heard_ = false;
    shared_->counters.add(Counter::sessions_opened);
    shared_->events.push({.kind = EventKind::session_opened, .node = session_.peer_id(), .value = session_.peer_epoch().value()});
    add_news(kSessionOpened);
    if (shared_->self.cluster == ClusterIncarnation{} && session_.cluster() != ClusterIncarnation{}) add_news(kClusterLearnt);
    if (session_.peer_process() == PeerProcess::newer) peer_epoch_ended();
    peer_has_lanes(std::max<std::uint8_t>(packet.lanes_stated, 1));
    sending_.aliases.clear();
    received_aliases_.clear();
    sending_.credit.start({packet.hello.credit_messages(), packet.hello.credit_units()});
    told_ = {};
    credit_owed_ = false;
    for (std::size_t i = 0; i < lane_count_; ++i) {
        const wire::LaneState& state = packet.lanes[i];
        const bool has_memory = session_.peer_process() == PeerProcess::same && StreamId{state.stream()} == stream();
        lanes_[i].sender.session_opened(now, has_memory);
        lanes_[i].receiver.set_publisher(session_.peer_id());
        // A peer that was built without the lane says nothing of it, and nothing will come.
        if (i >= lanes_used_) continue;
        lanes_[i].receiver.session_opened(now, StreamId{packet.hello.stream()}, Sequence{state.first_unsettled()});
    }
}

// ---- lanes ----------------------------------------------------------------------------------------------------------

bool Link::owes_messages() const {
    return std::ranges::any_of(lanes(), [](const LaneEnds& lane) { return lane.sender.first() != lane.sender.next(); });
}

void Link::subscription_gone(SubscriptionId subscription) {
    for (LaneEnds& lane : lanes()) lane.sender.subscription_gone(subscription);
}

void Link::end_volatile_deliveries() {
    for (LaneEnds& lane : lanes()) lane.sender.peer_epoch_ended();
}

void Link::release_held(Instant now) {
    for (LaneEnds& lane : lanes()) lane.receiver.release_held(now);
}

void Link::on_durable(JournalSequence durable) {
    for (LaneEnds& lane : lanes()) lane.receiver.on_durable(durable);
}

// Until a peer says otherwise it has one lane, and messages of others go there; what a journal recovered in others tells that it
// had them.
Lane Link::lane_towards(Lane wanted) const { return index_of(wanted) < lanes_used_ ? wanted : Lane::normal; }

Status Link::restore(Instant now, std::uint16_t delivery, Lane in, Sequence sequence) {
    if (!has_lane(index_of(in))) return Status::table_full;
    lanes_used_ = std::max(lanes_used_, static_cast<std::uint8_t>(index_of(in) + 1));
    const Status status = sender(in).restore(now, delivery, sequence);
    // What is in the normal lane may have gone there instead, before the other lanes were known.
    barrier_low_ = static_cast<std::uint32_t>(sender().next().value());
    return status;
}

// Order over a change of their number: a new lane opens when all is settled that went instead by the normal one. A lane that is
// gone takes nothing any more, so what is in it ends here: only a process without the journal of the last one can have fewer.
void Link::peer_has_lanes(std::uint8_t stated) {
    const std::uint8_t common = std::min(stated, lane_count_);
    static_cast<void>(sender().first_unsettled());
    for (std::size_t i = common; i < lanes_used_; ++i) lanes_[i].sender.give_up();
    lanes_open_ = std::min(lanes_open_, common);
    if (common > lanes_used_) barrier_low_ = static_cast<std::uint32_t>(sender().next().value());
    lanes_used_ = common;
    open_lanes();
}

void Link::open_lanes() {
    // A mark that is no place of the lane was passed, or was set before a journal gave the lane its numbers.
    const std::uint32_t left = barrier_low_ - static_cast<std::uint32_t>(sender().first().value());
    const std::uint64_t waiting = sender().next().value() - sender().first().value();
    if (left == 0 || left > waiting) lanes_open_ = lanes_used_;
}

std::size_t Link::write_handshake(Instant now, std::span<std::byte> buffer, PathId& path) {
    if (!session_.wants_to_write(now) || !endings_kept()) return 0;
    std::array<wire::LaneState, kLanesMax> states;
    for (std::size_t i = 0; i < lane_count_; ++i) {
        const SettlementBook& settled = lanes_[i].receiver.settlements();
        states[i] = wire::LaneState(settled.stream().value(), settled.reported_cumulative().value(),
                                    lanes_[i].sender.first_unsettled().value(), static_cast<std::uint8_t>(i), 0, 0, 0);
    }
    const HelloStatement statement{.lanes = std::span(states).first(lane_count_), .stream = stream(), .credit = credit()};
    const std::size_t bytes = session_.write(now, statement, buffer, path);
    if (bytes == 0) return 0;
    for (LaneEnds& lane : lanes()) lane.sender.note_stated();
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

// False: this node has no such lane, which it did not state either (counted).
bool Link::sane_lane(std::uint8_t number) {
    if (has_lane(number)) return true;
    shared_->counters.add(Counter::records_malformed);
    return false;
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
        case wire::RecordType::alias_declare: stored = receiver().on_alias(number_low, record); break;
        case wire::RecordType::run:
            stored =
                sane_lane(record.as<wire::Run>().lane()) && receiver(Lane{record.as<wire::Run>().lane()}).on_run(now, number_low, record);
            current_messages_ = true;
            break;
        case wire::RecordType::skip:
            stored = sane_lane(record.as<wire::Skip>().lane()) && receiver(Lane{record.as<wire::Skip>().lane()}).on_skip(now, record);
            break;
        case wire::RecordType::settlement: {
            const std::uint8_t number = record.as<wire::Settlement>().lane();
            if (sane_lane(number) && sender(Lane{number}).on_settlement(record)) space_.on_progress();
            if (lanes_open_ < lanes_used_) open_lanes();
            for (LaneEnds& each : lanes()) each.sender.pace(now);
            DUNLIN_ASSERT(owes_messages() || sending_.credit.untouched());  // else credit leaks away, message by message
            break;
        }
        default: return false;
    }
    current_eliciting_ = true;
    current_stored_ = current_stored_ && stored;
    return true;
}

void Link::packet_done(Instant now, std::size_t bytes, bool ack_eliciting, bool stored) {
    if (!reading_) return;
    reading_ = false;
    if (current_stored_ && stored)
        acks_.on_received(now, shared_->self.reading, current_eliciting_ || ack_eliciting || PacketSize::elicits_ack(bytes));
    if (!current_stored_ && credit().less_than(told_)) credit_owed_ = true;
    if (current_messages_ && settlements_owed()) {
        const bool more_allowed = told_.units * Credit::kUnitBytes >= 2U * session_.packet_bytes();
        const bool more_follows = more_allowed && 2 * bytes >= session_.packet_bytes();
        settle_at_ = more_follows ? earlier(settle_at_, now + kSettlementDelay) : now;
    }
    if (!goodbye_heard_) return;
    peer_epoch_ended();
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
    LaneSender& from = sender(packet.lane());
    if (fate == PacketFate::acked) {
        note_size(size_.on_acked(now, packet.bytes(), packet.is_size_probe()));
        from.on_packet_acked(now, packet);
        for (LaneEnds& each : lanes()) each.receiver.on_packet_acked(now, packet);
        if (packet.carried_ack) acks_.on_ack_acked(packet.ack_largest_low);
        return;
    }
    if (fate == PacketFate::lost) {
        note_size(size_.on_lost(now, packet.bytes(), packet.is_size_probe()));
        if (packet.probed) return;
    }
    from.on_packet_lost(now, packet);
    if (fate == PacketFate::probe) from.probe_first(now);
    if (!packet.settlement) return;
    for (LaneEnds& each : lanes()) each.receiver.settlements().owe();
}

// ---- time -----------------------------------------------------------------------------------------------------------

Instant Link::next_deadline() const {
    Instant deadline = kNever;
    for (const LaneEnds& each : lanes()) deadline = earlier(deadline, earlier(each.sender.next_deadline(), each.receiver.next_deadline()));
    // Hellos and acks wait for the journal.
    if (endings_kept()) deadline = earlier(deadline, earlier(session_.next_deadline(), acks_.due()));
    if (!session_.open()) return deadline;
    deadline = earlier(deadline, earlier(space_.next_deadline(), size_.next_deadline(session_.last_heard())));
    // What may leave at once is asked for without a deadline.
    const Wanting set = wanting();
    if (!set.any().empty()) {
        const Lane next = scheduler_.next(set.any());
        const Instant paced = ready_at(next);
        if (paced != Instant::min() && set.messages.has(next)) deadline = earlier(deadline, paced);
    }
    if (settlements_owed() && space_.control_fits()) deadline = earlier(deadline, settle_at_);
    return deadline;
}

void Link::on_timeout(Instant now) {
    if (session_.idle(now)) drop_session(now);
    if (session_.open()) {
        auto fate = [this, now](const SentPacket& packet, PacketFate what) { on_fate(now, packet, what); };
        space_.on_timeout(now, FateSink::of(fate));
        size_.on_timeout(now);
    }
    for (LaneEnds& each : lanes()) {
        each.sender.on_timeout(now);
        each.receiver.on_timeout(now);
    }
}

}  // namespace dunlin::link
