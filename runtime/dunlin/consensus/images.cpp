#include <dunlin/consensus/consensus.hpp>

#include <algorithm>

namespace dunlin::consensus {

namespace {

// Worth a chunk: less only where it ends the image or a packet has nothing else.
constexpr std::size_t kChunkBytesMin = 256;

}  // namespace

// ---- At a leader

bool Consensus::wants_image() const {
    if (role_ != Role::leader || image_sendable() || applied_ < log_.base().index) return false;
    for (const Progress& peer : peers()) {
        if (peer.mode == Progress::Mode::image && peer.answers) return true;
    }
    return false;
}

Status Consensus::provide_image(const ImagePoint& point, std::span<const std::byte> image) {
    if (role_ != Role::leader) return Status::not_leader;
    DUNLIN_ASSERT(point.index >= log_.base().index && point.index <= applied_);
    if (!stage_.freeze(point, image)) return Status::too_large;
    counters_->add(Counter::snapshots_sent);
    for (Progress& peer : peers()) peer.restart_image();
    return Status::ok;
}

bool Consensus::may_send_chunk(const Progress& peer) const {
    return peer.mode == Progress::Mode::image && peer.answers && image_sendable() && peer.in_flight < options_.appends_in_flight_max &&
           peer.image_sent < stage_.total();
}

void Consensus::write_chunk(Progress& peer, wire::PacketWriter& writer) {
    const std::size_t left = stage_.total() - peer.image_sent;
    const std::size_t room = writer.room() < sizeof(wire::SnapshotChunk) ? 0 : writer.room() - sizeof(wire::SnapshotChunk);
    const std::size_t length = std::min(left, room);
    if (length == 0 || (length < std::min(left, kChunkBytesMin) && !writer.empty())) return;
    const ImagePoint& point = stage_.point();
    const wire::SnapshotChunk chunk(term_.value(), point.index.value(), point.term.value(), point.time.value(), ++round_, stage_.total(),
                                    peer.image_sent, stage_.checksum(), 0);
    const bool written = writer.record(wire::RecordType::snapshot_chunk, chunk, stage_.bytes().subspan(peer.image_sent, length));
    DUNLIN_ASSERT(written);
    counters_->add(Counter::snapshot_chunks_sent);
    peer.sent_round = round_;
    peer.image_sent += static_cast<std::uint32_t>(length);
    ++peer.in_flight;
}

void Consensus::on_snapshot_reply(Instant now, Progress& peer, const wire::SnapshotReply& reply) {
    if (!answers_me(now, peer, Term{reply.term()}, reply.round())) return;
    const bool ours = peer.mode == Progress::Mode::image && image_sendable() && LogIndex{reply.index()} == stage_.point().index;
    if (!ours || reply.next_offset() > stage_.total()) return;
    if (reply.next_offset() < peer.image_acked && reply.round() < peer.acked_round) return;  // an older answer comes late
    peer.on_image_offset(reply.next_offset(), now);
}

// ---- At a follower

void Consensus::on_snapshot_chunk(Instant now, Progress& peer, const wire::Record& record) {
    const auto chunk = record.as<wire::SnapshotChunk>();
    if (!follow(now, peer, Term{chunk.term()}, chunk.round())) return;
    const ImagePoint point{LogIndex{chunk.index()}, Term{chunk.index_term()}, ClusterTime{chunk.cluster_time()}};
    if (!stage_.pending() && point.index <= commit_) {  // nothing in it is new: say how far our own log goes
        reply_.verified = std::max(reply_.verified, point.index);
        reply_.append_owed = true;
        reply_.refused = false;
        return;
    }
    if (!stage_.holds(chunk.total_bytes())) return stop(Status::invalid_argument);
    if (!stage_.take(point, chunk.total_bytes(), chunk.crc32c(), chunk.offset(), record.bytes)) {
        counters_->add(Counter::records_malformed);
        return;
    }
    reply_.image_owed = true;
    reply_.image_index = point.index;
}

std::optional<ReceivedImage> Consensus::received_image() const {
    if (stage_.state() != ImageStage::State::complete) return std::nullopt;
    return ReceivedImage{stage_.point(), stage_.bytes()};
}

void Consensus::adopt_image() {
    constexpr JournalSequence kNotYet{~std::uint64_t{0}};
    stage_.begin_install();
    DUNLIN_ASSERT(stage_.point().index > commit_);
    log_.reset_keeping_suffix(stage_.point(), kNotYet);
    set_commit(stage_.point().index);
    applied_ = stage_.point().index;
    state_hash_ = 0;
}

void Consensus::image_installed(JournalSequence gate) {
    DUNLIN_ASSERT(stage_.state() == ImageStage::State::installing);
    log_.set_base_sequence(gate);
    stage_.clear();
    reply_.verified = std::max(reply_.verified, log_.base().index);
    reply_.append_owed = true;
    counters_->add(Counter::snapshots_installed);
    tell(EventKind::snapshot_installed, {}, log_.base().index.value());
}

}  // namespace dunlin::consensus
