#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/link/lane_sender.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::link {
namespace {

constexpr auto kLongestRun = static_cast<std::uint32_t>(kRangeMax);
constexpr std::size_t kRunBytes = wire::kRecordHeadBytes + sizeof(wire::Run);

// A remaining lifetime in 16 bits: rounded down to 2^shift ms, and never to 0, which means none.
struct Lifetime {
    std::uint16_t units = 0;
    std::uint8_t shift = 0;
};

Lifetime lifetime_until(Instant now, Instant expires) {
    if (expires == kNever) return {};
    const Duration time = expires - now;
    std::uint64_t left = time < milliseconds{1} ? 1 : whole_ms(time);
    std::uint8_t shift = 0;
    for (; left > 0xffff; left >>= 1) ++shift;
    return {static_cast<std::uint16_t>(left), shift};
}

}  // namespace

// The packet that is being written.
struct LaneSender::Draft {
    Instant now{};
    PacketNumber number{};
    std::size_t packet_bytes = 0;
    wire::PacketWriter& writer;
    SentPacket& sent;
    bool alias_used = false;  // by a message in it
};

bool LaneSender::sendable(std::uint32_t offset) const {
    if (offset >= ring_.size()) return false;
    if (ring_[offset] == kPartQueued) return true;  // what comes before it in its message has left
    if (!is_delivery(ring_[offset])) return false;
    const Delivery& delivery = shared_->outbox.delivery(ring_[offset]);
    return delivery.state == DeliveryState::queued && shared_->outbox.message(delivery.message).gate <= shared_->self.durable;
}

bool LaneSender::wants_to_send() const { return session_ && claim_next() < ring_.size(); }

// The offset of what is to be sent next: what was lost goes before what is new. ring_.size(): nothing.
std::uint32_t LaneSender::next_due() const {
    const auto unsent = static_cast<std::uint32_t>(unsent_.value() - first_.value());
    for (; resends_ > 0 && resend_from_ < unsent; ++resend_from_) {
        if (sendable(resend_from_)) return resend_from_;
    }
    return sendable(unsent) ? unsent : static_cast<std::uint32_t>(ring_.size());
}

bool LaneSender::write(Instant now, PacketNumber number, std::size_t packet_bytes, wire::PacketWriter& writer, SentPacket& sent) {
    on_timeout(now);
    Draft draft{.now = now, .number = number, .packet_bytes = packet_bytes, .writer = writer, .sent = sent};
    const std::size_t before = writer.size();
    while (!sent.ranges_full()) {
        const std::uint32_t offset = claim_next();
        if (offset >= ring_.size() || !write_run(draft, offset)) break;
    }
    pace(now);
    return writer.size() > before;
}

// False: nothing more of this lane goes into this packet.
bool LaneSender::write_run(Draft& draft, std::uint32_t offset) {
    const std::uint32_t start = offset;
    const Delivery* delivery = &delivery_of(offset);
    std::uint16_t alias = prepare_alias(draft, *delivery);
    if (alias == kNoAlias) return false;
    const Lamport lamport = shared_->self.lamport.next();
    const auto lane = static_cast<std::uint8_t>(index_of(lane_));
    const Sequence sequence{first_.value() + offset};
    if (!draft.writer.begin(wire::RecordType::run, wire::Run(sequence.value(), lamport.value(), lane, 0, 0, 0))) return false;
    std::uint16_t count = 0;
    while (const std::uint32_t written = write_message(draft, *delivery, offset, start + kLongestRun - offset, alias)) {
        ++count;
        charge(offset);
        offset += written;
        if (!sendable(offset) || !has_credit(offset)) break;
        delivery = &delivery_of(offset);
        alias = known_alias(draft, *delivery);
        if (alias == kNoAlias) break;
    }
    if (count == 0) {
        draft.writer.cancel();
        return false;
    }
    draft.writer.patch(wire::Run(sequence.value(), lamport.value(), lane, 0, count, 0));
    draft.writer.end();
    draft.sent.add_range(static_cast<std::uint32_t>(sequence.value()), static_cast<std::uint8_t>(offset - start), false);
    draft.alias_used = true;
    shared_->self.lamport = lamport;
    for (std::uint32_t i = start; i < offset; ++i) mark_sent(i);
    return true;
}

// The alias of the pair where this packet may use it as things are; else kNoAlias.
std::uint16_t LaneSender::known_alias(const Draft& draft, const Delivery& delivery) {
    const std::uint16_t alias = common_->aliases.find(shared_->outbox.message(delivery.message).topic, delivery.subscription);
    return alias != kNoAlias && (common_->aliases.acked(alias) || draft.sent.alias == alias) ? alias : kNoAlias;
}

// The same, declaring it where that is needed; kNoAlias: not in this packet. A declaration and a message that are too
// long for one packet together go one after the other: the message waits until the declaration is acknowledged.
std::uint16_t LaneSender::prepare_alias(Draft& draft, const Delivery& delivery) {
    if (const std::uint16_t known = known_alias(draft, delivery); known != kNoAlias) return known;
    if (draft.sent.alias != kNoAlias) return kNoAlias;
    const TopicIndex topic = shared_->outbox.message(delivery.message).topic;
    const std::string_view name = shared_->sink.topic_name(topic);
    const std::size_t declaration = wire::kRecordHeadBytes + sizeof(wire::AliasDeclare) + padded_to<4>(name.size());
    const std::size_t message = kRunBytes + least_bytes(draft, shared_->outbox.message(delivery.message));
    const bool together = wire::kHeaderBytes + declaration + message <= draft.packet_bytes;
    std::uint16_t alias = common_->aliases.find(topic, delivery.subscription);
    if (alias != kNoAlias && !together && common_->aliases.in_flight(alias)) return kNoAlias;
    if (draft.writer.room() + wire::kRecordHeadBytes < declaration + (together ? message : 0)) return kNoAlias;
    if (alias == kNoAlias)
        alias = common_->aliases.assign(topic, delivery.subscription, static_cast<std::uint32_t>(draft.number.value()), draft.alias_used);
    if (alias == kNoAlias) return kNoAlias;
    const bool written = draft.writer.record(wire::RecordType::alias_declare, wire::AliasDeclare(delivery.subscription.value(), alias, 0),
                                             std::as_bytes(std::span(name.data(), name.size())));
    DUNLIN_ASSERT(written);
    draft.sent.declare(alias);
    common_->aliases.declared(alias);
    return together ? alias : kNoAlias;
}

// What fits a packet of this session is not divided: its receiver need not join it.
bool LaneSender::fits_packet(const Draft& draft, std::size_t body_bytes) {
    return wire::kHeaderBytes + kRunBytes + sizeof(wire::MessageHead) + padded_to<4>(body_bytes) <= draft.packet_bytes;
}

// Of a message that is sent for the first time, at least so much goes into a packet.
std::size_t LaneSender::least_bytes(const Draft& draft, const OutboxMessage& message) const {
    const std::size_t body = stored_bytes(message);
    if (fits_packet(draft, body)) return sizeof(wire::MessageHead) + padded_to<4>(body);
    return sizeof(wire::MessageHead) + sizeof(wire::FragmentBlock) + kFragmentBytes;
}

// How many fragments of one message are due, from `offset` on.
std::uint32_t LaneSender::due_from(std::uint32_t offset) const {
    std::uint32_t end = offset + 1;
    while (end < ring_.size() && ring_[end] == kPartQueued) ++end;
    return end - offset;
}

// What is due of one message, from `offset` on: how many of its fragments, at most `most`. 0: this packet has no room.
std::uint32_t LaneSender::write_message(Draft& draft, const Delivery& delivery, std::uint32_t offset, std::uint32_t most,
                                        std::uint16_t alias) {
    const std::size_t body = stored_bytes(shared_->outbox.message(delivery.message));
    const std::uint32_t index = offset - offset_of(delivery.sequence_low);
    const std::uint32_t fragments = fragments_of(body);
    std::uint32_t count = fragments == 1 ? 1 : due_from(offset);
    if (count == fragments && fits_packet(draft, body))
        return count <= most && write_body(draft, delivery, index, count, alias) ? count : 0;
    const auto room = static_cast<std::uint32_t>(draft.writer.room() / kFragmentBytes + 1);  // the last may be short
    for (count = std::min({count, most, room}); count > 0 && !write_body(draft, delivery, index, count, alias);) --count;
    return count;
}

// `count` of its fragments from `index` on; false: no room, nothing is written.
bool LaneSender::write_body(Draft& draft, const Delivery& delivery, std::uint32_t index, std::uint32_t count, std::uint16_t alias) {
    const OutboxMessage& message = shared_->outbox.message(delivery.message);
    const std::size_t body = stored_bytes(message);
    const std::size_t from = index * kFragmentBytes;
    const std::size_t length = std::min<std::size_t>(count * kFragmentBytes, body - from);
    const bool whole = length == body;
    const std::size_t heads = sizeof(wire::MessageHead) + (whole ? 0 : sizeof(wire::FragmentBlock));
    const std::span<std::byte> out = draft.writer.extend(heads + padded_to<4>(length), heads + length);
    if (out.empty()) return false;
    const Lifetime lifetime = lifetime_until(draft.now, message.expires);
    std::uint8_t flags = 0;
    if (message.fenced) flags = static_cast<std::uint8_t>(wire::MessageFlag::fence);
    if (message.keyed) flags = static_cast<std::uint8_t>(flags | static_cast<std::uint8_t>(wire::MessageFlag::explicit_key));
    if (!whole) flags = static_cast<std::uint8_t>(flags | static_cast<std::uint8_t>(wire::MessageFlag::fragment));
    if (delivery.maybe_repeated) flags = static_cast<std::uint8_t>(flags | static_cast<std::uint8_t>(wire::MessageFlag::maybe_repeated));
    const wire::MessageHead head(whole ? message.payload_bytes : static_cast<std::uint16_t>(length), alias, lifetime.units, lifetime.shift,
                                 flags);
    std::memcpy(out.data(), &head, sizeof(head));
    if (!whole) {
        const wire::FragmentBlock fragment(message.payload_bytes, static_cast<std::uint16_t>(index));
        std::memcpy(out.data() + sizeof(head), &fragment, sizeof(fragment));
    }
    shared_->outbox.load_stored(message, from, out.subspan(heads, length));
    return true;
}

void LaneSender::mark_sent(std::uint32_t offset) {
    if (is_delivery(ring_[offset])) {
        Delivery& delivery = shared_->outbox.delivery(ring_[offset]);
        delivery.state = DeliveryState::in_flight;
        delivery.sent = true;
    }
    const Sequence sequence{first_.value() + offset};
    const bool again = sequence < unsent_;
    if (again || is_delivery(ring_[offset])) shared_->counters.add(again ? Counter::messages_resent : Counter::messages_sent);
    if (is_part(ring_[offset])) ring_[offset] = kPartInFlight;
    if (again) {
        --resends_;
        return;
    }
    unsent_ = sequence.next();
    pass_holes();
}

// Invariant of unsent_: a delivery stands there, or a fragment that is due, or nothing.
void LaneSender::pass_holes() {
    for (; unsent_ < next(); unsent_ = unsent_.next()) {
        const std::uint16_t entry = ring_[static_cast<std::size_t>(unsent_.value() - first_.value())];
        if (is_delivery(entry) || entry == kPartQueued) return;
    }
}

// ---- skips ----------------------------------------------------------------------------------------------------------

LaneSender::SkipKind LaneSender::skip_kind(std::uint32_t offset) const {
    if (offset >= ring_.size()) return SkipKind::none;
    const std::uint16_t entry = ring_[offset];
    if (entry == kHoleOwed) return SkipKind::told;
    const bool asks = is_delivery(entry) && shared_->outbox.delivery(entry).state == DeliveryState::skip_owed;
    return asks ? SkipKind::asked : SkipKind::none;
}

std::uint32_t LaneSender::next_skip() const {
    while (skip_kind(skip_from_) == SkipKind::none) {
        DUNLIN_ASSERT(skip_from_ < ring_.size());
        ++skip_from_;
    }
    return skip_from_;
}

bool LaneSender::peer_has(std::uint32_t offset) const {
    const std::uint16_t entry = ring_[offset];
    if (!is_delivery(entry)) return entry != kPartQueued && entry != kPartInFlight;
    const DeliveryState state = shared_->outbox.delivery(entry).state;
    return state != DeliveryState::queued && state != DeliveryState::in_flight;
}

// The first offset that the peer may not have, nor is to skip.
std::uint32_t LaneSender::missing() const {
    while (missing_from_ < ring_.size() && peer_has(missing_from_)) ++missing_from_;
    return missing_from_;
}

bool LaneSender::owes_skips() const { return behind_owed_ || (skips_ > 0 && !skips_held_ && next_skip() < missing()); }

bool LaneSender::write_behind(wire::PacketWriter& writer) {
    const Sequence first{behind_end().value() - behind_count_};
    if (!writer.record(wire::RecordType::skip, wire::Skip(first.value(), behind_count_, static_cast<std::uint8_t>(index_of(lane_)), 0, 0)))
        return false;
    shared_->counters.add(Counter::skips_sent);
    behind_owed_ = false;
    return true;
}

bool LaneSender::write_skips(wire::PacketWriter& writer, SentPacket& sent) {
    const std::size_t before = writer.size();
    if (behind_owed_ && !write_behind(writer)) return false;
    const std::uint32_t missing_at = missing();
    while (skips_ > 0 && !skips_held_ && next_skip() < missing_at && sent.ranges() + 1U < kRangesPerPacket) {
        const SkipKind kind = skip_kind(skip_from_);
        const auto each = [&](std::uint32_t offset) { return kind == SkipKind::asked ? fragments(ring_[offset]) : 1U; };
        const std::uint32_t step = each(skip_from_);
        std::uint32_t end = skip_from_;
        while (end < missing_at && end + step - skip_from_ <= kLongestRun && skip_kind(end) == kind && each(end) == step) end += step;
        const std::uint64_t first = first_.value() + skip_from_;
        const auto flags = static_cast<std::uint8_t>(kind == SkipKind::asked ? wire::SkipFlag::answer : wire::SkipFlag{});
        const auto longer = static_cast<std::uint16_t>(step > 1 ? step : 0);
        const auto lane = static_cast<std::uint8_t>(index_of(lane_));
        if (!writer.record(wire::RecordType::skip, wire::Skip(first, end - skip_from_, lane, flags, longer))) break;
        sent.add_range(static_cast<std::uint32_t>(first), static_cast<std::uint8_t>(end - skip_from_), true);
        shared_->counters.add(Counter::skips_sent);
        for (; skip_from_ < end; skip_from_ = static_cast<std::uint16_t>(skip_from_ + step), --skips_) {
            if (kind == SkipKind::told) {
                ring_[skip_from_] = kHoleSent;
            } else {
                shared_->outbox.delivery(ring_[skip_from_]).state = DeliveryState::skip_sent;
            }
        }
    }
    return writer.size() > before;
}

}  // namespace dunlin::link
