// The part of Link that fills packets.
#include <dunlin/core/assert.hpp>
#include <dunlin/link/link.hpp>

#include <algorithm>

namespace dunlin::link {

// With nothing to say otherwise, a settlement waits for those of the next packets; what a handler completes, a journal made
// durable or a lost packet owes leaves at once.
bool Link::settlements_owed() const { return owes_outcomes() || credit_news(); }

bool Link::owes_outcomes() const {
    return std::ranges::any_of(lanes(), [](const LaneEnds& lane) { return lane.receiver.settlements().owed(); });
}

// As things are now.
Credit Link::credit() const {
    InboxShare share;
    for (const LaneEnds& lane : lanes()) {
        share.slots = static_cast<std::uint16_t>(share.slots + lane.receiver.share().slots);
        share.blocks = static_cast<std::uint16_t>(share.blocks + lane.receiver.share().blocks);
        share.empty = static_cast<std::uint16_t>(share.empty + lane.receiver.share().empty);
    }
    return shared_->inbox.credit(share);
}

// Each settlement states it. One goes for its sake alone where handlers of other peers' messages have made much more room than
// this peer knows of, or where it sends what there is none for.
bool Link::credit_news() const {
    return receiver().settlements().stream() != StreamId{} && (credit_owed_ || credit().much_more_than(told_));
}

bool Link::settlement_due(Instant now) const {
    return settlements_owed() && (settle_at_ == kNever || settle_at_ <= now || acks_.due() <= now);
}

Link::Wanting Link::wanting() const {
    const bool kept = endings_kept();
    Wanting set;
    for (const Lane each : kLanesByPriority) {  // who waits for credit is known before those below ask for it
        if (index_of(each) >= lanes_open_) continue;
        if (sender(each).wants_to_send()) set.messages.add(each);
        if (kept && sender(each).owes_skips()) set.skips.add(each);
    }
    return set;
}

Instant Link::ready_at(Lane lane) const { return space_.data_ready_at(scheduler_.reserve(lane, lane_count_)); }

// Whose the next packet is: messages, as the scheduler says, or where they may not leave, skips, which are control. Nothing: no
// lane's.
std::optional<Lane> Link::next_lane(Instant now) const {
    const Wanting set = wanting();
    if (set.any().empty()) return std::nullopt;
    const Lane next = scheduler_.next(set.any());
    const bool probes = space_.probe_owed() && space_.control_fits();
    if (set.messages.has(next) && (probes || ready_at(next) <= now)) return next;
    if (set.skips.empty() || !space_.control_fits()) return std::nullopt;
    return *std::ranges::find_if(kLanesByPriority, [&set](Lane each) { return set.skips.has(each); });
}

bool Link::wants_to_send(Instant now) const {
    if (!session_.open()) return false;
    if (goodbye_owed_ || (endings_kept() && acks_.due() <= now)) return true;
    const bool control = settlement_due(now) || ping_owed_ || space_.probe_owed();
    return (control && space_.control_fits()) || next_lane(now).has_value();
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
    if (goodbye_owed_) draft().goodbye = writer.record(wire::RecordType::goodbye, wire::Goodbye(0, 0));
    if (space_.control_fits() && settlement_due(now)) write_settlements(writer);
    draft().lane = next_lane(now);
    if (!endings_kept()) return;
    if (draft().lane && space_.control_fits() && sender(*draft().lane).owes_skips()) {
        draft().sent.set_lane(*draft().lane);
        if (sender(*draft().lane).write_skips(writer, draft().sent)) draft().eliciting = draft().lane_used = true;
    }
    if (acks_.due() != kNever && acks_.write(now, writer)) {
        draft().sent.carried_ack = true;
        draft().sent.ack_largest_low = static_cast<std::uint32_t>(acks_.largest().value());
    }
}

// What finds no room stays owed.
void Link::write_settlements(wire::PacketWriter& writer) {
    const auto number_low = static_cast<std::uint32_t>(space_.next_number().value());
    const Credit now = credit();
    const bool for_its_sake = !owes_outcomes();
    if (for_its_sake) receiver().settlements().owe();
    for (const Lane each : kLanesByPriority) {
        if (!has_lane(index_of(each)) || !receiver(each).settlements().owed()) continue;
        if (!receiver(each).settlements().write(number_low, now, writer)) continue;
        if (for_its_sake) shared_->counters.add(Counter::credit_updates);
        told_ = now;
        credit_owed_ = false;
        shared_->counters.add(Counter::settlements_sent);
        draft().sent.settlement = true;
        draft().eliciting = true;
        settle_at_ = kNever;
    }
}

void Link::write_lane(Instant now, wire::PacketWriter& writer) {
    if (draft().lane) write_messages(now, sender(*draft().lane), writer);
    if (!ping_owed_ && !space_.probe_owed()) return;
    if (draft().eliciting || !space_.control_fits()) return;
    if (writer.record(wire::RecordType::ping, wire::Ping(0))) draft().eliciting = true;
}

void Link::write_messages(Instant now, LaneSender& sender, wire::PacketWriter& writer) {
    const bool probes = space_.probe_owed() && space_.control_fits();
    if (!sender.wants_to_send() || (!probes && ready_at(sender.lane()) > now)) return;
    draft().sent.set_lane(sender.lane());
    if (!sender.write(now, space_.next_number(), packet_bytes_now(), writer, draft().sent)) return;
    draft().eliciting = draft().lane_used = true;
}

std::size_t Link::finish_packet(Instant now, wire::PacketWriter& writer, bool others_ack_eliciting) {
    if (writer.empty()) return 0;
    const PacketNumber number = space_.take_number();
    const std::size_t bytes = writer.finish(session_.header(number));
    if (draft().eliciting || others_ack_eliciting || (PacketSize::elicits_ack(bytes) && space_.sample_fits())) {
        DUNLIN_ASSERT(space_.control_fits());
        const std::uint8_t reserve = draft().lane_used ? scheduler_.reserve(*draft().lane, lane_count_) : std::uint8_t{0};
        space_.on_sent(now, number, bytes, draft().sent, reserve);
        if (draft().lane_used) scheduler_.sent(*draft().lane, wanting().any());
        ping_owed_ = false;
    }
    if (draft().goodbye) drop_session(now);
    return bytes;
}

}  // namespace dunlin::link
