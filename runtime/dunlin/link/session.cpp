#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/link/session.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

// A dialled hello stops echoing a nonce that led nowhere after so many attempts: its owner may be gone.
constexpr std::uint8_t kEchoesMax = 4;

constexpr std::uint16_t kSilenceMax = 0xffff;

std::uint16_t silence_ms(Duration silence) { return static_cast<std::uint16_t>(std::min<std::uint64_t>(whole_ms(silence), kSilenceMax)); }

}  // namespace

void Session::dial(Instant now, PathId path) {
    dialling_ = true;
    dial_path_ = path;
    if (open()) return;
    backoff_.reset();
    retry_at_ = now;
}

void Session::close(Instant now) {
    own_ = {};
    heard_ = {};
    cluster_ = {};
    unconfirmed_ = false;
    confirmation_owed_ = false;
    if (dialling_) dial(now, dial_path_);
}

void Session::forget() {
    const LinkShared* const shared = shared_;
    const SessionNonce last = peer_;
    *this = Session(*shared);
    peer_ = last;
}

// ---- hellos in ------------------------------------------------------------------------------------------------------

wire::RefuseReason Session::objection(const HelloPacket& packet) const {
    const LinkSelf& self = shared_->self;
    const ClusterIncarnation cluster{packet.header.cluster()};
    const bool both_bound = cluster != ClusterIncarnation{} && self.cluster != ClusterIncarnation{};
    if (packet.cluster_name != self.cluster_name || (both_bound && cluster != self.cluster)) return wire::RefuseReason::foreign_cluster;
    if (packet.hello.version_min() > wire::kVersion || packet.hello.version_max() < wire::kVersion) return wire::RefuseReason::no_version;
    const bool other_storage = packet.voter_storage != StorageId{} && StorageId{packet.hello.storage()} != packet.voter_storage;
    if (other_storage) return wire::RefuseReason::other_storage;
    const BootEpoch epoch{packet.header.epoch()};
    const bool other_instance = epoch == peer_epoch_ && InstanceId{packet.hello.instance()} != peer_instance_;
    if (epoch < peer_epoch_ || other_instance) return wire::RefuseReason::stale_epoch;
    return wire::RefuseReason::none;
}

HelloResult Session::on_hello(Instant now, const HelloPacket& packet) {
    Counters& counters = shared_->counters;
    const LinkSelf& self = shared_->self;
    counters.add(Counter::hellos_received);
    const NodeId source{packet.header.source()};
    const NodeId destination{packet.header.destination()};
    if (source == self.id) return HelloResult::own_id;
    if (destination != NodeId{} && destination != self.id) {
        counters.add(Counter::packets_wrong_destination);
        return HelloResult::ignored;
    }
    const bool sane = packet.hello.nonce() != 0 && packet.hello.instance() != 0 && packet.hello.stream() != 0 &&
                      packet.header.epoch() != 0 && packet.hello.packet_bytes_max() >= wire::kPacketBytesMin;
    if (!sane || (peer_id_ != NodeId{} && peer_id_ != source)) {
        counters.add(sane ? Counter::packets_unknown_source : Counter::records_malformed);
        return HelloResult::ignored;
    }
    if (const wire::RefuseReason reason = objection(packet); reason != wire::RefuseReason::none) {
        refuse(now, packet, reason);
        return HelloResult::refused;
    }
    const SessionNonce nonce{packet.hello.nonce()};
    const SessionNonce echo{packet.hello.echo()};
    if (open() && nonce == peer_) {
        // Its sender is not sure that this side is open.
        if (echo == own_) confirmation_owed_ = true;
        return HelloResult::ignored;
    }
    if (is_fresh(echo)) {
        open_session(now, packet);
        return HelloResult::opened;
    }
    // An echo of the open session's nonce is fresh: the peer has lost its half of it, or opened it with another of its own.
    if (echo != SessionNonce{} && open() && echo != own_) {
        counters.add(Counter::packets_stale_session);
        return HelloResult::ignored;
    }
    if (candidate_ == SessionNonce{}) candidate_ = SessionNonce{shared_->random.next_nonzero_u64()};
    heard_ = nonce;
    echoes_ = 0;
    answer_owed_ = true;
    answer_path_ = packet.path;
    answer_to_ = source;
    return HelloResult::answered;
}

void Session::refuse(Instant now, const HelloPacket& packet, wire::RefuseReason reason) {
    shared_->counters.add(Counter::hellos_refused);
    if (reason == wire::RefuseReason::foreign_cluster) shared_->counters.add(Counter::packets_foreign_cluster);
    if (reason == wire::RefuseReason::stale_epoch) shared_->counters.add(Counter::packets_stale_epoch);
    if (reason == wire::RefuseReason::other_storage) shared_->counters.add(Counter::identity_conflicts);
    const Duration silence = now - last_heard_;
    const bool live = open() && silence < shared_->self.idle_timeout / 2;
    shared_->self.refusal = {.refused = SessionNonce{packet.hello.nonce()},
                             .path = packet.path,
                             .epoch_known = peer_epoch_,
                             .to = NodeId{packet.header.source()},
                             .silence_ms = live ? silence_ms(silence) : std::uint16_t{0},
                             .reason = static_cast<std::uint8_t>(reason),
                             .live = live};
}

void Session::open_session(Instant now, const HelloPacket& packet) {
    const BootEpoch epoch{packet.header.epoch()};
    const InstanceId instance{packet.hello.instance()};
    const bool known = peer_epoch_ != BootEpoch{};
    peer_process_ = !known                                               ? PeerProcess::unknown
                    : epoch == peer_epoch_ && instance == peer_instance_ ? PeerProcess::same
                                                                         : PeerProcess::newer;
    own_ = candidate_;
    numbers_go_on_ = peer_ == SessionNonce{packet.hello.nonce()};
    peer_ = SessionNonce{packet.hello.nonce()};
    candidate_ = {};
    heard_ = {};
    answer_owed_ = false;
    unconfirmed_ = true;
    confirmation_owed_ = true;
    path_ = packet.path;
    peer_id_ = NodeId{packet.header.source()};
    peer_epoch_ = epoch;
    peer_instance_ = instance;
    peer_storage_ = StorageId{packet.hello.storage()};
    peer_is_voter_ = (packet.hello.flags() & static_cast<std::uint32_t>(wire::HelloFlag::voter)) != 0;
    const ClusterIncarnation theirs{packet.header.cluster()};
    cluster_ = theirs != ClusterIncarnation{} ? theirs : shared_->self.cluster;
    packet_bytes_ = std::min(packet.hello.packet_bytes_max(), shared_->self.packet_bytes_max);
    epoch_refused_ = {};
    refused_since_ = kNever;
    conflict_told_ = false;
    last_heard_ = now;
    backoff_.reset();
    retry_at_ = now;
}

void Session::on_refused(Instant now, NodeId by, const wire::HelloRefused& refused) {
    const LinkSelf& self = shared_->self;
    if (!is_fresh(SessionNonce{refused.echo()})) return;
    if (refused.reason() == static_cast<std::uint8_t>(wire::RefuseReason::other_storage)) return tell_conflict(by);
    if (refused.reason() != static_cast<std::uint8_t>(wire::RefuseReason::stale_epoch)) return;
    const BootEpoch known{refused.epoch_known()};
    if (known < self.epoch) return;
    if (refused.live() == 0) {
        refused_since_ = kNever;
        epoch_refused_ = std::max(epoch_refused_, known);
        return;
    }
    // After a break nobody knows what this answers: this process may have been stopped meanwhile.
    const Duration break_min = std::max<Duration>(self.idle_timeout, kRetryMax);
    if (refused_since_ == kNever || now - refused_since_ - milliseconds{refused_for_ms_} >= break_min) refused_since_ = now;
    refused_for_ms_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole_ms(now - refused_since_), 0xffffffff));
    // Who was heard last about when this process began may have died then, however patient the refuser is.
    const Instant heard_there = now - milliseconds{refused.silence_ms()};
    if (refused.silence_ms() != kSilenceMax && heard_there - refused_since_ >= self.idle_timeout) tell_conflict(by);
}

void Session::tell_conflict(NodeId by) {
    if (conflict_told_) return;
    conflict_told_ = true;
    shared_->counters.add(Counter::identity_conflicts);
    shared_->events.push({.kind = EventKind::identity_conflict, .node = by});
}

BootEpoch Session::epoch_refused() const { return epoch_refused_ >= shared_->self.epoch ? epoch_refused_ : BootEpoch{}; }

// ---- packets of the open session ------------------------------------------------------------------------------------

bool Session::accepts(PathId path, const wire::PacketHeader& header) const {
    Counters& counters = shared_->counters;
    if (!open() || SessionNonce{header.session()} != own_ || path != path_ || NodeId{header.source()} != peer_id_) {
        counters.add(Counter::packets_stale_session);
        return false;
    }
    if (NodeId{header.destination()} != shared_->self.id) {
        counters.add(Counter::packets_wrong_destination);
        return false;
    }
    if (ClusterIncarnation{header.cluster()} != cluster_) {
        counters.add(Counter::packets_foreign_cluster);
        return false;
    }
    if (BootEpoch{header.epoch()} != peer_epoch_ || header.number() == 0) {
        counters.add(Counter::packets_stale_epoch);
        return false;
    }
    return true;
}

void Session::heard(Instant now) {
    last_heard_ = now;
    unconfirmed_ = false;
}

bool Session::take_confirmation_owed() {
    const bool owed = confirmation_owed_;
    confirmation_owed_ = false;
    return owed;
}

bool Session::idle(Instant now) const { return open() && now >= saturating_add(last_heard_, shared_->self.idle_timeout); }

wire::PacketHeader Session::header(PacketNumber number) const {
    const LinkSelf& self = shared_->self;
    return {wire::kMagic,  wire::kVersion, 0, 0, cluster_.value(), self.id.value(), peer_id_.value(), self.epoch.value(),
            peer_.value(), number.value()};
}

// ---- hellos out -----------------------------------------------------------------------------------------------------

Instant Session::next_deadline() const {
    if (shared_->self.durable < shared_->self.epoch_gate) return kNever;
    Instant deadline = kNever;
    if (open()) deadline = saturating_add(last_heard_, shared_->self.idle_timeout);
    if (hello_wanted()) deadline = earlier(deadline, retry_at_);
    return deadline;
}

bool Session::hello_wanted() const { return open() ? unconfirmed_ : dialling_; }

bool Session::wants_to_write(Instant now) const {
    if (shared_->self.durable < shared_->self.epoch_gate) return false;
    return answer_owed_ || (hello_wanted() && now >= retry_at_) || shared_->self.refusal.refused != SessionNonce{};
}

std::size_t Session::write(Instant now, const HelloStatement& statement, std::span<std::byte> buffer, PathId& path) {
    if (!wants_to_write(now)) return 0;
    if (shared_->self.refusal.refused != SessionNonce{}) {
        path = shared_->self.refusal.path;
        return write_refusal(buffer);
    }
    if (answer_owed_) {
        answer_owed_ = false;
        path = answer_path_;
        return write_hello({candidate_, heard_, answer_to_}, statement, buffer);
    }
    retry_at_ = now + std::max<Duration>(milliseconds{1}, backoff_.next(shared_->random, kRetryBase, kRetryMax));
    if (open()) {
        path = path_;
        return write_hello({own_, peer_, peer_id_}, statement, buffer);
    }
    if (candidate_ == SessionNonce{}) candidate_ = SessionNonce{shared_->random.next_nonzero_u64()};
    if (heard_ != SessionNonce{} && ++echoes_ > kEchoesMax) heard_ = {};
    path = dial_path_;
    return write_hello({candidate_, heard_, peer_id_}, statement, buffer);
}

std::size_t Session::write_hello(const HelloIds& ids, const HelloStatement& statement, std::span<std::byte> buffer) {
    const LinkSelf& self = shared_->self;
    std::uint32_t flags = 0;
    if (self.voter) flags |= static_cast<std::uint32_t>(wire::HelloFlag::voter);
    if (self.stream != StreamId{}) flags |= static_cast<std::uint32_t>(wire::HelloFlag::durable_stream);
    const wire::Hello hello(ids.nonce.value(), ids.echo.value(), self.instance.value(), self.storage.value(), statement.stream.value(),
                            self.packet_bytes_max, wire::kVersion, wire::kVersion, flags, statement.credit.messages, statement.credit.units,
                            0);
    wire::PacketWriter writer(buffer);
    bool fits = writer.record(wire::RecordType::hello, hello, std::as_bytes(std::span(self.cluster_name.data(), self.cluster_name.size())));
    for (const wire::LaneState& lane : statement.lanes) fits = fits && writer.record(wire::RecordType::lane_state, lane);
    DUNLIN_ASSERT(fits);
    shared_->counters.add(Counter::hellos_sent);
    return writer.finish(bare_header(ids.to));
}

std::size_t Session::write_refusal(std::span<std::byte> buffer) {
    OwedRefusal& owed = shared_->self.refusal;
    const wire::HelloRefused refused(owed.refused.value(), owed.epoch_known.value(), owed.reason, owed.live ? 1 : 0, owed.silence_ms);
    owed.refused = {};
    wire::PacketWriter writer(buffer);
    const bool fits = writer.record(wire::RecordType::hello_refused, refused);
    DUNLIN_ASSERT(fits);
    return writer.finish(bare_header(owed.to));
}

wire::PacketHeader Session::bare_header(NodeId to) const {
    const LinkSelf& self = shared_->self;
    return {wire::kMagic, wire::kVersion, 0, 0, self.cluster.value(), self.id.value(), to.value(), self.epoch.value(), 0, 0};
}

}  // namespace dunlin::link
