#include "bus_world.hpp"

#include <algorithm>
#include <cstdio>

namespace dunlin::bus::test {
namespace {

// Says which assertion failed before the trap.
[[maybe_unused]] const bool kHooked = [] {
    set_assertion_hook([](const char* file, int line, const char* expression) {
        std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    });
    return true;
}();

}  // namespace

Member::Member(NodeId node, std::uint32_t epoch, journal::test::MemoryDevice* device, std::uint64_t seed)
    : id(node),
      device_(device),
      random_(seed),
      bus(bus_storage(),
          BusShared{.outbox = outbox,
                    .links = {[](void* self, PeerIndex peer) { return static_cast<Member*>(self)->links_[peer.value()].get(); }, this},
                    .assign_peer = {[](void* self, NodeId peer) {
                                        static_cast<Member*>(self)->link(peer).set_peer(peer);
                                        return static_cast<Member*>(self)->index_of(peer);
                                    },
                                    this},
                    .journal = device == nullptr ? nullptr : &journal,
                    .counters = counters,
                    .events = events,
                    .random = random_,
                    .message_bytes_max = kLimits.message_bytes_max}) {
    self_.id = node;
    self_.epoch = BootEpoch{epoch};
    self_.instance = InstanceId{random_.next_nonzero_u64()};
    self_.cluster_name = "test";
    self_.journalled = device != nullptr;
    if (device != nullptr) {
        self_.storage = StorageId{100U + node.value()};
        self_.stream = StreamId{200U + node.value()};
    }
    sink_ = bus.sink();
    for (std::uint16_t i = 0; i < kLimits.peers; ++i) {
        links_[i] = std::make_unique<link::Link>(link_arrays_[i].storage(), shared_, PeerIndex{i});
        if (NodeId{static_cast<std::uint16_t>(i + 1U)} != id) links_[i]->set_peer(NodeId{static_cast<std::uint16_t>(i + 1U)});
    }
}

BusStorage Member::bus_storage() {
    BusStorage storage = arrays_.storage();
    storage.scratch = boxes_.scratch;
    return storage;
}

// ---- Journal ----------------------------------------------------------------------------------------------------------

void Member::format() {
    journal.format(device_->size(), self_.storage);
    write_checkpoint(Instant{});
}

void Member::compact(Instant now) {
    journal.begin_checkpoint();
    write_checkpoint(now);
}

void Member::write_checkpoint(Instant now) {
    DUNLIN_ASSERT(emit(journal::RecordKind::format, {}, {}) == Status::ok);
    auto write = [this](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
        return journal.checkpoint_append(kind, first, second);
    };
    EmitCursor cursor{};
    for (Status status = Status::busy; status != Status::ok;) {
        status = bus.emit_live(now, cursor, EmitRecord::of(write));
        DUNLIN_ASSERT(status == Status::ok || (status == Status::busy && step_journal()));
    }
    bus.freeze_keys();
    while (bus.emit_keys(now, EmitRecord::of(write)) == Status::busy) DUNLIN_ASSERT(step_journal());
    bus.thaw_keys();
    for (auto& each : links_) {
        std::array<std::byte, link::LinkSizes<kLimits>::watermark_bytes> record{};
        if (each->receiver().settlements().stream() == StreamId{}) continue;
        const std::size_t bytes = each->receiver().encode_watermark(record);
        DUNLIN_ASSERT(emit(journal::RecordKind::watermark, std::span(record).first(bytes), {}) == Status::ok);
    }
    journal.finish_checkpoint();
    sync();
}

Status Member::emit(journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
    while (true) {
        const Status status = journal.checkpoint_append(kind, first, second);
        if (status != Status::busy || !step_journal()) return status;
    }
}

Status Member::recover(Instant now) {
    journal.open(device_->size());
    Status status = Status::ok;
    while (journal.state() == journal::State::recovering) {
        journal::RecoveredRecord record;
        while (journal.next_recovered(record)) {
            if (status != Status::ok || record.kind == journal::RecordKind::format) continue;
            if (record.kind == journal::RecordKind::watermark) {
                bus.watermarks_replayed();
                const NodeId publisher = link::watermark_publisher(record.bytes);
                DUNLIN_ASSERT(publisher != NodeId{} && link(publisher).receiver().restore_watermark(record.bytes));
                continue;
            }
            status = bus.replay(now, record.kind, record.bytes);
        }
        step_journal();
    }
    bus.recovered();
    if (status == Status::ok && journal.needs_checkpoint()) compact(now);
    return status == Status::ok ? journal.status() : status;
}

bool Member::step_journal() {
    const auto op = journal.poll_op();
    if (!op) return false;
    const Status status = device_->perform(*op);
    journal.on_complete(op->id, status, device_->bytes_read(*op));
    return true;
}

void Member::sync() {
    while (device_ != nullptr && step_journal()) {}
}

void Member::store_watermarks(Instant now) {
    for (auto& each : links_) {
        if (!each->receiver().watermark_dirty()) continue;
        DUNLIN_ASSERT(bus.store_keys(now) == Status::ok);
        std::array<std::byte, link::LinkSizes<kLimits>::watermark_bytes> record{};
        const std::size_t bytes = each->receiver().encode_watermark(record);
        const auto appended = journal.append(journal::RecordKind::watermark, std::span(record).first(bytes));
        if (appended.ok()) each->receiver().watermark_appended(appended.value());
    }
}

void Member::note_durable(Instant now) {
    if (device_ == nullptr) return;
    store_watermarks(now);
    bus.store_outcomes();
    if (auto_sync) sync();
    if (journal.durable() == self_.durable) return;
    self_.durable = journal.durable();
    for (auto& each : links_) each->on_durable(self_.durable);
    bus.on_durable(now);
    store_watermarks(now);
    bus.store_outcomes();
    if (auto_sync) sync();
}

// ---- Packets ----------------------------------------------------------------------------------------------------------

void Member::take_news(PeerIndex peer) {
    const std::uint8_t news = links_[peer.value()]->take_news();
    if ((news & link::kSessionClosed) != 0) bus.session_closed(peer);
    if ((news & link::kPeerEpochEnded) != 0) bus.peer_ended(peer);
    if ((news & link::kSessionOpened) != 0 && links_[peer.value()]->session_open()) bus.session_opened(peer);
}

void Member::receive(Instant now, const Packet& packet) {
    auto reader = wire::PacketReader::open(packet.bytes, counters);
    if (!reader) return;
    const PeerIndex peer = index_of(packet.from);
    link::Link& each = *links_[peer.value()];
    const PathId path{packet.from.value()};
    if (reader->header().session() == 0) {
        (void)each.on_hello_packet(now, path, {}, *reader);
        return take_news(peer);
    }
    const bool accepted = each.accept(now, path, reader->header());
    take_news(peer);
    if (!accepted || !each.session_open()) return;
    bool ack_eliciting = false;
    for (wire::Record record; reader->next(record);) {
        if (!each.on_record(now, record) && bus.on_record(now, peer, record)) ack_eliciting = true;
    }
    each.packet_done(now, packet.bytes.size(), ack_eliciting, true);
    take_news(peer);
    note_durable(now);
}

void Member::transmit(Instant now, std::deque<Packet>& out) {
    note_durable(now);
    for (std::uint16_t i = 0; i < kLimits.peers; ++i) {
        link::Link& each = *links_[i];
        const PeerIndex peer{i};
        const NodeId to{static_cast<std::uint16_t>(i + 1U)};
        while (true) {
            std::array<std::byte, wire::kPacketBytesDefault> buffer;
            PathId path{};
            std::size_t bytes = each.write_handshake(now, buffer, path);
            const bool wanted = each.session_open() && (each.wants_to_send(now) || (each.may_elicit() && bus.wants_to_send(now, peer)));
            if (bytes == 0 && wanted) {
                wire::PacketWriter writer = each.begin_packet(buffer);
                each.write_control(now, writer);
                const bool advertised = each.may_elicit() && bus.write_records(now, peer, writer);
                each.write_lane(now, writer);
                bytes = each.finish_packet(now, writer, advertised);
                take_news(peer);
            }
            if (bytes == 0) break;
            out.push_back({id, to, {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(bytes)}});
        }
    }
}

Instant Member::next_deadline() const {
    Instant next = bus.next_deadline();
    for (const auto& each : links_) next = std::min(next, each->next_deadline());
    return next;
}

void Member::on_timeout(Instant now) {
    for (std::uint16_t i = 0; i < kLimits.peers; ++i) {
        links_[i]->on_timeout(now);
        take_news(PeerIndex{i});
    }
    bus.on_timeout(now);
}

void Member::poll_outcomes() {
    Event event;
    while (bus.poll_outcome(event)) outcomes.push_back(event);
}

Event Member::outcome_of(PublishId publish) const {
    Event found;
    for (const Event& outcome : outcomes) {
        if (outcome.id != publish.value()) continue;
        if (found.kind != EventKind::none) return {};
        found = outcome;
    }
    return found;
}

// ---- World ------------------------------------------------------------------------------------------------------------

Member& World::start(std::uint16_t id, bool durable) {
    kill(id);
    journal::test::MemoryDevice* device = nullptr;
    bool fresh = false;
    if (durable) {
        auto& slot = devices_[id];
        fresh = slot == nullptr;
        if (fresh) slot = std::make_unique<journal::test::MemoryDevice>(65536);
        device = slot.get();
    }
    auto member = std::make_unique<Member>(NodeId{id}, ++epochs_[id], device, random_.next_u64());
    if (fresh) member->format();
    if (durable && !fresh) {
        const Status status = member->recover(now);
        DUNLIN_ASSERT(status == Status::ok);
    }
    member->bus.start(now, fresh);
    for (auto& [other, each] : members_) {
        each->dial(now, NodeId{id});
        member->dial(now, NodeId{other});
    }
    members_[id] = std::move(member);
    return *members_[id];
}

void World::kill(std::uint16_t id) {
    members_.erase(id);
    if (devices_.contains(id)) devices_[id]->power_loss_keeping({});
}

void World::settle() {
    for (int round = 0; round < 1000; ++round) {
        for (auto& [id, member] : members_) {
            member->transmit(now, wire_);
            if (member->auto_poll) member->poll_outcomes();
        }
        if (wire_.empty()) return;
        while (!wire_.empty()) {
            const Packet packet = wire_.front();
            wire_.pop_front();
            const bool lost = random_.below(100) < loss_percent;
            const auto to = members_.find(packet.to.value());
            if (!lost && to != members_.end()) to->second->receive(now, packet);
        }
    }
    DUNLIN_ASSERT(!"the members never fall silent");
}

void World::run_for(Duration time) {
    const Instant end = now + time;
    while (true) {
        settle();
        Instant next = end;
        for (auto& [id, member] : members_) next = std::min(next, member->next_deadline());
        now = std::max(now, next);
        if (now >= end) return;
        // Even where a deadline is in the past, time goes on.
        now += microseconds{10};
        for (auto& [id, member] : members_) {
            if (member->next_deadline() <= now) member->on_timeout(now);
        }
    }
}

}  // namespace dunlin::bus::test
