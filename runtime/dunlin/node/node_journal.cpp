#include <dunlin/node/node.hpp>

#include <dunlin/bus/records.hpp>
#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/node/entry_guard.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>
#include <array>

namespace dunlin {
namespace {

constexpr std::size_t kWatermarkBytesMax = link::watermark_bytes_max(kUnsettledMax, link::kSettlementNotesMax);

std::size_t watermarks_dirty(const link::Link& link) {
    return static_cast<std::size_t>(
        std::ranges::count_if(link.lanes(), [](const link::LaneEnds& lane) { return lane.receiver.watermark_dirty(); }));
}

}  // namespace

// ---- The device -----------------------------------------------------------------------------------------------------

std::optional<journal::DeviceOp> Node::poll_journal() {
    const EntryGuard guard(inside_);
    if (journal_bytes_ == 0 || state_ == RunState::created || state_ == RunState::failed) return std::nullopt;
    if (journal_.state() == journal::State::ready) {
        append_own_records();
        if (state_ != RunState::recovering) {
            store_watermarks();
            if (!journal_.checkpointing()) bus_.store_outcomes();
        }
        const bool image_waits = coordinator_ != nullptr && coordinator_->wants_checkpoint();
        if (checkpoint_.stage == CheckpointStage::done && !journal_.checkpointing() && (journal_.needs_checkpoint() || image_waits)) {
            checkpoint_ = {};
            checkpoint_.stage = CheckpointStage::format;
            journal_.begin_checkpoint();
            if (coordinator_ != nullptr) coordinator_->begin_checkpoint();
        }
        if (checkpoint_.stage != CheckpointStage::done) continue_checkpoint();
    }
    // A checkpoint whose live state does not fit its bank fails here, with no operation to complete.
    if (journal_.state() == journal::State::failed) fail(journal_.status());
    return journal_.poll_op();
}

void Node::on_journal(Instant now, std::uint32_t operation, Status status, std::size_t bytes) {
    const EntryGuard guard(inside_);
    last_now_ = now;
    peers_.ask_all_again();
    if (state_ == RunState::created || state_ == RunState::failed) return;
    journal_.on_complete(operation, status, bytes);
    if (state_ == RunState::recovering) replay_recovered(now);
    if (journal_.state() == journal::State::failed) return fail(journal_.status());
    note_durable(now);
    if (state_ == RunState::recovering && self_.epoch_gate != JournalSequence{} && journal_.durable() >= self_.epoch_gate)
        become_ready(now);
    advance(now);
}

void Node::fail(Status status) {
    if (state_ == RunState::failed) return;
    state_ = RunState::failed;
    status_ = status;
    Event event;
    event.kind = EventKind::failed;
    event.status = status;
    events_.push(event);
}

// Lets go of whatever waited for the journal.
void Node::note_durable(Instant now) {
    if (!self_.journalled || journal_.durable() == self_.durable) return;
    self_.durable = journal_.durable();
    peers_.ask_all_again();
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (peers_.in_use(PeerIndex{static_cast<std::uint16_t>(i)})) links_[i].on_durable(self_.durable);
    }
    bus_.on_durable(now);
    if (coordinator_ != nullptr) coordinator_->on_durable(now);
}

// ---- Recovery -------------------------------------------------------------------------------------------------------

void Node::replay_recovered(Instant now) {
    for (journal::RecoveredRecord record; journal_.next_recovered(record);) {
        if (const Status status = replay(now, record); status != Status::ok) return fail(status);
    }
    if (journal_.state() == journal::State::ready && self_.epoch_gate == JournalSequence{} && !epoch_to_store_) finish_recovery(now);
}

Status Node::replay(Instant now, const journal::RecoveredRecord& record) {
    switch (record.kind) {
        case journal::RecordKind::format: {
            const auto info = journal::decode_format_info(record.bytes);
            if (!info.ok()) return info.status();
            self_.storage = info.value().storage;
            journal_stream_ = info.value().stream;
            const bool own = info.value().node == self_.id && info.value().cluster_name() == self_.cluster_name;
            return own ? Status::ok : Status::foreign_cluster;
        }
        case journal::RecordKind::bind: {
            BindRecord bind;
            if (!take_all(record.bytes, bind)) return Status::corrupt;
            self_.cluster = ClusterIncarnation{bind.incarnation};
            return Status::ok;
        }
        case journal::RecordKind::epoch: {
            EpochRecord epoch;
            if (!take_all(record.bytes, epoch)) return Status::corrupt;
            self_.epoch = BootEpoch{epoch.epoch};
            return Status::ok;
        }
        case journal::RecordKind::watermark: {
            const NodeId publisher = link::watermark_publisher(record.bytes);
            if (publisher == NodeId{}) return Status::corrupt;
            const PeerIndex peer = ensure_peer(now, publisher, SlotUse::none);
            if (peer == kNoPeer) return Status::table_full;
            const std::size_t lane = link::watermark_lane(record.bytes);
            if (!link_of(peer).has_lane(lane)) return Status::table_full;
            bus_.watermarks_replayed();
            return link_of(peer).receiver(static_cast<Lane>(lane)).restore_watermark(record.bytes) ? Status::ok : Status::corrupt;
        }
        case journal::RecordKind::watermark_void: {
            WatermarkVoidRecord voided;
            if (!take_all(record.bytes, voided)) return Status::corrupt;
            const PeerIndex peer = peers_.find(NodeId{voided.publisher});
            if (peer == kNoPeer) return Status::ok;
            for (link::LaneEnds& lane : link_of(peer).lanes()) lane.receiver.settlements().start(StreamId{}, Sequence{});
            return Status::ok;
        }
        case journal::RecordKind::hard_state:
        case journal::RecordKind::log_entry:
        case journal::RecordKind::image_chunk:
            // A member's checkpoint would leave them out: the voter would forget its vote and what it has acknowledged.
            if (coordinator_ == nullptr) return Status::voter_journal;
            return coordinator_->replay(now, record.kind, record.bytes);
        default: return bus_.replay(now, record.kind, record.bytes);
    }
}

void Node::finish_recovery(Instant now) {
    if (self_.storage == StorageId{}) return fail(Status::corrupt);
    bus_.recovered();
    self_.stream = journal_stream_;
    self_.epoch = self_.epoch.next();
    if (coordinator_ != nullptr) {
        if (const Status status = coordinator_->recovered(now); status != Status::ok) return fail(status);
    }
    epoch_to_store_ = true;
}

// The node's own records, as soon as the journal takes them.
void Node::append_own_records() {
    if (journal_.checkpointing()) return;
    JournalSequence gate{};
    if (epoch_to_store_) {
        const auto appended = journal_.append(journal::RecordKind::epoch, bytes_of(epoch_record(self_.epoch)));
        if (!appended.ok()) return;
        epoch_to_store_ = false;
        gate = appended.value();
    }
    if (bind_to_store_) {
        const auto appended = journal_.append(journal::RecordKind::bind, bytes_of(bind_record(self_.cluster)));
        if (!appended.ok()) return;
        bind_to_store_ = false;
        gate = appended.value();
    }
    if (gate != JournalSequence{}) self_.epoch_gate = gate;
}

// ---- Watermarks -----------------------------------------------------------------------------------------------------

// Keys first, each by itself: they count only with the watermarks that follow them. Then
// all watermarks and the application's position in one batch, so that a restart finds the position that belongs to
// exactly the messages that are settled: the limits make the journal's buffer long enough (watermark_batch_bytes). The
// next batch waits until this one is durable.
void Node::store_watermarks() {
    if (journal_.checkpointing() || journal_.durable() < watermark_gate_) return;
    const bool position = position_to_store_;
    std::size_t left = 0;
    for (const link::Link& each : links_) left += watermarks_dirty(each);
    if (left == 0 || bus_.store_keys(last_now_) != Status::ok) return;
    std::array<std::byte, kWatermarkBytesMax> record;
    JournalSequence gate{};
    for (const link::Link& each : links_) {
        for (const link::LaneEnds& lane : each.lanes()) {
            if (!lane.receiver.watermark_dirty()) continue;
            const std::size_t bytes = lane.receiver.encode_watermark(record);
            --left;
            const auto appended = journal_.append(journal::RecordKind::watermark, std::span(record).first(bytes), {}, position || left > 0);
            if (!appended.ok()) return;  // the batch is withdrawn; again when the journal has room
            gate = appended.value();
        }
    }
    if (position) {
        const bus::PositionRecord entry = bus::position_record(bus::PositionSlot::receive, bus_.receive_position());
        const auto appended = journal_.append(journal::RecordKind::position, bytes_of(entry));
        if (!appended.ok()) return;
        gate = appended.value();
        position_to_store_ = false;
    }
    watermark_gate_ = gate;
    for (link::Link& each : links_) {
        for (link::LaneEnds& lane : each.lanes()) {
            if (lane.receiver.watermark_dirty()) lane.receiver.watermark_appended(gate);
        }
    }
}

// ---- Checkpoints ----------------------------------------------------------------------------------------------------

void Node::continue_checkpoint() {
    while (checkpoint_.stage != CheckpointStage::done && journal_.checkpoint_takes_records()) {
        const Status status = emit_next();
        if (status == Status::busy) return;
        if (status != Status::ok) return;  // the journal has failed
    }
}

// Writes the next record of this node's whole durable state; busy: the journal's buffer is full.
Status Node::emit_next() {
    const auto next_stage = [this](CheckpointStage stage) {
        checkpoint_.stage = stage;
        checkpoint_.position = 0;
    };
    switch (checkpoint_.stage) {
        case CheckpointStage::format: {
            journal::FormatInfo info;
            Status status = journal::fill(info, self_.id, self_.storage, self_.stream, self_.cluster_name);
            DUNLIN_ASSERT(status == Status::ok);
            status = journal_.checkpoint_append(journal::RecordKind::format, journal::encode(info));
            if (status == Status::ok) next_stage(CheckpointStage::bind);
            return status;
        }
        case CheckpointStage::bind: {
            const Status status = journal_.checkpoint_append(journal::RecordKind::bind, bytes_of(bind_record(self_.cluster)));
            if (status == Status::ok) next_stage(CheckpointStage::epoch);
            return status;
        }
        case CheckpointStage::epoch: {
            const Status status = journal_.checkpoint_append(journal::RecordKind::epoch, bytes_of(epoch_record(self_.epoch)));
            if (status == Status::ok) next_stage(CheckpointStage::coordinator);
            return status;
        }
        case CheckpointStage::coordinator: {
            journal::RecordKind kind{};
            std::span<const std::byte> first;
            std::span<const std::byte> second;
            if (coordinator_ == nullptr ||
                !coordinator_->live_record(checkpoint_.position, journal_.payload_bytes_max(), kind, first, second)) {
                next_stage(CheckpointStage::bus);
                return Status::ok;
            }
            const Status status = journal_.checkpoint_append(kind, first, second);
            if (status == Status::ok) ++checkpoint_.position;
            return status;
        }
        case CheckpointStage::bus: return emit_bus();
        case CheckpointStage::links: return emit_watermarks();
        case CheckpointStage::done: break;
    }
    return Status::ok;
}

bus::EmitRecord Node::checkpoint_emit() {
    return {[](void* journal, journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
                return static_cast<journal::Journal*>(journal)->checkpoint_append(kind, first, second);
            },
            &journal_};
}

Status Node::emit_bus() {
    const Status status = bus_.emit_live(last_now_, checkpoint_.bus, checkpoint_emit());
    if (status != Status::ok) return status;
    checkpoint_.stage = CheckpointStage::links;
    bus_.freeze_keys();
    return status;
}

// Messages are settled while a checkpoint is written. So keys are written until the journal knows them all, and the watermarks and
// the position that belongs to them come last and in one go: they fit an empty buffer (watermark_batch_bytes).
Status Node::emit_watermarks() {
    if (const Status status = bus_.emit_keys(last_now_, checkpoint_emit()); status != Status::ok) return status;
    if (!journal_.buffer_empty()) return Status::busy;
    for (const link::Link& each : links_) {
        for (const link::LaneEnds& lane : each.lanes()) {
            if (lane.receiver.settlements().stream() == StreamId{}) continue;
            std::array<std::byte, kWatermarkBytesMax> record;
            const std::size_t bytes = lane.receiver.encode_watermark(record);
            const Status status = journal_.checkpoint_append(journal::RecordKind::watermark, std::span(record).first(bytes));
            if (status != Status::ok) return status;
        }
    }
    const bus::PositionRecord position = bus::position_record(bus::PositionSlot::receive, bus_.receive_position());
    const Status status = journal_.checkpoint_append(journal::RecordKind::position, bytes_of(position));
    if (status != Status::ok) return status;
    journal_.finish_checkpoint();
    bus_.thaw_keys();
    checkpoint_.stage = CheckpointStage::done;
    if (coordinator_ != nullptr) coordinator_->end_checkpoint(journal_.appended());
    return Status::ok;
}

}  // namespace dunlin
