#include <dunlin/core/assert.hpp>
#include <dunlin/link/lane_sender.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

// How long after its expiry a delivery that was sent waits for a session in which to ask what became of it.
constexpr Duration kSessionGrace = seconds{2};

}  // namespace

LaneSender::LaneSender(Lane lane, std::span<std::uint16_t> ring, LaneSending& common, const LinkShared& shared)
    : shared_(&shared), ring_(ring), common_(&common), lane_(lane) {
    DUNLIN_ASSERT(shared.outbox.delivery_capacity() <= kHoleOwed);
}

// ---- numbering ------------------------------------------------------------------------------------------------------

// A durable stream's numbers must never repeat towards a peer that may remember them. What was recovered from the journal
// goes on; any other lane starts above all that this and earlier epochs can have used.
void LaneSender::start_numbering() {
    if (first_ != Sequence{}) return;
    const LinkSelf& self = shared_->self;
    first_ = Sequence{1};
    if (self.stream != StreamId{}) first_ = Sequence{(std::uint64_t{self.epoch.value()} << 40U) + self.numbered.value() + 1};
    unsent_ = first_;
}

Sequence LaneSender::first_unsettled() {
    start_numbering();
    return first_;
}

void LaneSender::note_stated() {
    if (!stated_) stated_low_ = static_cast<std::uint32_t>(first_.value());
    stated_ = true;
}

void LaneSender::start_behind() {
    behind_end_low_ = static_cast<std::uint32_t>(first_.value());
    behind_count_ = stated_ ? static_cast<std::uint16_t>(std::min<std::uint32_t>(behind_end_low_ - stated_low_, 0xffff)) : 0;
    behind_owed_ = behind_count_ > 0;
    stated_ = false;
}

Sequence LaneSender::behind_end() const {
    return Sequence{first_.value() - (static_cast<std::uint32_t>(first_.value()) - behind_end_low_)};
}

Status LaneSender::enqueue(Instant now, std::uint16_t delivery) {
    start_numbering();
    const std::uint32_t places = fragments(delivery);
    if (ring_.size() + places > ring_.capacity()) {
        shared_->counters.add(Counter::window_full);
        return Status::busy;
    }
    Delivery& queued = shared_->outbox.delivery(delivery);
    DUNLIN_ASSERT(queued.state == DeliveryState::idle);
    queued.sequence_low = static_cast<std::uint32_t>(next().value());
    queued.state = DeliveryState::queued;
    queued.lane = lane_;
    for (std::uint32_t i = 0; i < places; ++i) {
        const bool pushed = ring_.push(i == 0 ? delivery : kPartQueued);
        DUNLIN_ASSERT(pushed);
    }
    expiry_ = earlier(expiry_, std::max(now, expiry_of(queued)));
    pace(now);
    return Status::ok;
}

void LaneSender::retract(std::uint16_t delivery) {
    const std::uint32_t places = fragments(delivery);
    DUNLIN_ASSERT(ring_.size() >= places && ring_[ring_.size() - places] == delivery && next() >= unsent_.plus(places));
    shared_->outbox.delivery(delivery).state = DeliveryState::idle;
    for (std::uint32_t i = 0; i < places; ++i) ring_.pop_back();
}

Status LaneSender::restore(Instant now, std::uint16_t delivery, Sequence sequence) {
    if (const Status status = restore_next(sequence); status != Status::ok) return status;
    if (next() != sequence) return Status::busy;
    if (const Status status = enqueue(now, delivery); status != Status::ok) return status;
    shared_->outbox.delivery(delivery).sent = true;
    unsent_ = next();
    recount();
    return Status::ok;
}

Status LaneSender::restore_next(Sequence sequence) {
    DUNLIN_ASSERT(sequence != Sequence{});
    if (ring_.empty() && sequence > first_) first_ = unsent_ = sequence;
    if (sequence <= next()) return Status::ok;
    if (sequence.value() - first_.value() > ring_.capacity()) return Status::busy;
    // What lies between was resolved before the restart.
    while (next() < sequence) {
        const bool pushed = ring_.push(kHoleOwed);
        DUNLIN_ASSERT(pushed);
    }
    unsent_ = next();
    recount();
    return Status::ok;
}

Sequence LaneSender::sequence_of(std::uint16_t delivery) const {
    return Sequence{first_.value() + offset_of(shared_->outbox.delivery(delivery).sequence_low)};
}

std::uint32_t LaneSender::fragments(std::uint16_t delivery) const {
    return shared_->outbox.fragments(shared_->outbox.message(shared_->outbox.delivery(delivery).message));
}

// To which the place at `offset` belongs. O(fragments)
const Delivery& LaneSender::delivery_of(std::uint32_t offset) const {
    while (is_part(ring_[offset])) --offset;
    return shared_->outbox.delivery(ring_[offset]);
}

std::uint16_t LaneSender::unsettled() const {
    std::uint16_t count = 0;
    for (std::size_t i = 0; i < ring_.size(); ++i) {
        if (is_delivery(ring_[i]) && shared_->outbox.delivery(ring_[i]).sent) ++count;
    }
    return count;
}

// ---- ends of deliveries ---------------------------------------------------------------------------------------------

// Takes a delivery that is before unsent_ out of the counts that its state stands in.
void LaneSender::leave_state(DeliveryState state) {
    if (state == DeliveryState::queued) --resends_;
    if (state == DeliveryState::skip_owed) --skips_;
}

// Marks the further fragments of the delivery at `offset`.
void LaneSender::set_parts(std::uint32_t offset, std::uint32_t fragments, std::uint16_t mark) {
    for (std::uint32_t i = offset + 1; i < offset + fragments; ++i) {
        if (ring_[i] == kPartQueued && first_.value() + i < unsent_.value()) --resends_;
        ring_[i] = mark;
        if (mark == kHoleOwed) owe_skip(i);
    }
}

void LaneSender::owe_skip(std::uint32_t offset) {
    ++skips_;
    skip_from_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(skip_from_, offset));
}

void LaneSender::make_hole(std::uint32_t offset) {
    const std::uint16_t delivery = ring_[offset];
    give_back(shared_->outbox.delivery(delivery));
    if (first_.value() + offset < unsent_.value()) leave_state(shared_->outbox.delivery(delivery).state);
    set_parts(offset, fragments(delivery), kHoleOwed);
    ring_[offset] = kHoleOwed;
    owe_skip(offset);
    pass_holes();
}

// Ends a delivery from this side, before the peer settled it.
void LaneSender::end_delivery(std::uint32_t offset, Outcome outcome) {
    const std::uint16_t delivery = ring_[offset];
    const Effect effect = shared_->outbox.delivery(delivery).sent ? Effect::unknown : Effect::none;
    make_hole(offset);
    resolve(delivery, outcome, effect);
}

void LaneSender::resolve(std::uint16_t delivery, Outcome outcome, Effect effect) {
    shared_->outbox.resolve(delivery, outcome, effect);
    if (outcome != Outcome::acknowledged) dead_letters_until_ = shared_->outbox.ended();
}

void LaneSender::remove(std::uint16_t delivery) {
    make_hole(offset_of(shared_->outbox.delivery(delivery).sequence_low));
    shared_->outbox.delivery(delivery).state = DeliveryState::idle;
    // Holes in front need no skips: the next hello says that everything before first() is resolved.
    for (std::size_t i = 0; i < ring_.size() && ring_[i] == kHoleOwed; ++i) {
        ring_[i] = kSettled;
        --skips_;
    }
    pop_settled();
}

void LaneSender::subscription_gone(SubscriptionId subscription) {
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (!is_delivery(ring_[i])) continue;
        const Delivery& delivery = shared_->outbox.delivery(ring_[i]);
        if (delivery.subscription == subscription && !delivery.sent) end_delivery(i, Outcome::subscriber_gone);
    }
}

void LaneSender::peer_epoch_ended() {
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (is_delivery(ring_[i]) && !is_durable(shared_->outbox.delivery(ring_[i]).subscription)) {
            end_delivery(i, Outcome::subscriber_gone);
        }
    }
}

void LaneSender::reset() {
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (is_delivery(ring_[i])) end_delivery(i, Outcome::peer_removed);
    }
    LinkSelf& self = shared_->self;
    self.numbered = std::max(self.numbered, Sequence{next().value() & ((std::uint64_t{1} << 40U) - 1)});
    ring_.clear();
    first_ = unsent_ = {};
    stream_ = {};
    expiry_ = kNever;
    resends_ = skips_ = behind_count_ = 0;
    resend_from_ = skip_from_ = missing_from_ = 0;
    session_ = stated_ = behind_owed_ = false;
}

void LaneSender::give_up() {
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (is_delivery(ring_[i])) end_delivery(i, Outcome::peer_removed);
    }
    first_ = unsent_ = next();
    ring_.clear();
    recount();
    behind_count_ = 0;
    behind_owed_ = false;
}

// ---- sessions -------------------------------------------------------------------------------------------------------

void LaneSender::session_opened(Instant now, bool peer_has_memory) {
    start_numbering();
    session_ = true;
    pausing_ = pass_ = skips_held_ = false;
    lost_ = 0;
    start_behind();
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        // What an earlier process of the peer settled past a gap is a gap for this one.
        if (ring_[i] == kHoleSent || (ring_[i] == kSettled && !peer_has_memory)) ring_[i] = kHoleOwed;
        if (!is_delivery(ring_[i])) continue;
        Delivery& delivery = shared_->outbox.delivery(ring_[i]);
        delivery.counted = false;
        if (delivery.sent && !peer_has_memory) delivery.maybe_repeated = true;
        if (delivery.state == DeliveryState::skip_sent) delivery.state = DeliveryState::skip_owed;
        if (delivery.state == DeliveryState::skip_owed) continue;
        delivery.state = DeliveryState::queued;
        set_parts(i, fragments(ring_[i]), kPartQueued);
    }
    recount();
    expiry_ = now;
    pace(now);
}

void LaneSender::session_closed(Instant now) {
    session_ = false;
    expiry_ = now;
}

void LaneSender::recount() {
    resends_ = skips_ = 0;
    resend_from_ = skip_from_ = missing_from_ = 0;
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (ring_[i] == kHoleOwed) ++skips_;
        if (first_.value() + i >= unsent_.value()) continue;
        if (ring_[i] == kPartQueued) ++resends_;
        if (!is_delivery(ring_[i])) continue;
        const DeliveryState state = shared_->outbox.delivery(ring_[i]).state;
        if (state == DeliveryState::queued) ++resends_;
        if (state == DeliveryState::skip_owed) ++skips_;
    }
}

// ---- expiry ---------------------------------------------------------------------------------------------------------

// When the delivery must be looked at, as it is now.
Instant LaneSender::expiry_of(const Delivery& delivery) const {
    const Instant expires = shared_->outbox.message(delivery.message).expires;
    if (!delivery.sent) return expires;
    if (!session_) return saturating_add(expires, kSessionGrace);
    const bool asked = delivery.state == DeliveryState::skip_owed || delivery.state == DeliveryState::skip_sent;
    return asked ? kNever : expires;
}

void LaneSender::on_timeout(Instant now) {
    if (now < expiry_) return;
    expiry_ = kNever;
    if (pausing_) end_pause(now);
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        if (!is_delivery(ring_[i])) continue;
        const Delivery& delivery = shared_->outbox.delivery(ring_[i]);
        if (expiry_of(delivery) <= now) expire(i);
        if (is_delivery(ring_[i])) expiry_ = earlier(expiry_, expiry_of(delivery));
    }
}

// Never sent, or nobody to ask: it ends here. Sent: the peer is asked to skip it, and answers with the outcome.
void LaneSender::expire(std::uint32_t offset) {
    Delivery& delivery = shared_->outbox.delivery(ring_[offset]);
    if (!delivery.sent || !session_) {
        end_delivery(offset, Outcome::expired);
        return;
    }
    leave_state(delivery.state);
    delivery.state = DeliveryState::skip_owed;
    if (!delivery.counted) charge(offset);  // the peer may have it, though it seemed to be lost
    set_parts(offset, fragments(ring_[offset]), kPartReceived);
    owe_skip(offset);
    pass_holes();
}

// ---- fate of packets ------------------------------------------------------------------------------------------------

void LaneSender::on_packet_acked(Instant now, const SentPacket& packet) {
    common_->aliases.on_packet_acked(packet);
    const bool resends = resends_ > 0;
    for (std::size_t r = 0; r < packet.ranges(); ++r) {
        if (packet.range_is_skip(r)) continue;
        for (std::uint32_t n = 0; n < packet.range_count(r); ++n) {
            const std::uint32_t offset = offset_of(packet.range_first(r) + n);
            if (offset < ring_.size()) received(offset);
        }
    }
    if (resends && resends_ == 0) none_refused(now);
}

void LaneSender::received(std::uint32_t offset) {
    std::uint16_t& entry = ring_[offset];
    if (entry == kPartQueued) --resends_;
    if (entry == kPartQueued || entry == kPartInFlight) entry = kPartReceived;
    if (!is_delivery(entry)) return;
    Delivery& delivery = shared_->outbox.delivery(entry);
    lost_ = 0;
    if (delivery.state == DeliveryState::queued) {
        --resends_;
        charge(offset);
    }
    if (delivery.state == DeliveryState::queued || delivery.state == DeliveryState::in_flight) delivery.state = DeliveryState::received;
}

void LaneSender::on_packet_lost(Instant now, const SentPacket& packet) {
    common_->aliases.on_packet_lost(packet);
    behind_owed_ = behind_count_ > 0;
    for (std::size_t r = 0; r < packet.ranges(); ++r) {
        for (std::uint32_t n = 0; n < packet.range_count(r); ++n) {
            const std::uint32_t offset = offset_of(packet.range_first(r) + n);
            if (offset < ring_.size()) queue_again(now, offset);
        }
    }
    const std::uint32_t due = next_due();
    for (std::size_t r = 0; r < packet.ranges() && due < ring_.size(); ++r) {
        if (due - offset_of(packet.range_first(r)) < packet.range_count(r)) note_loss(now, due);
    }
}

void LaneSender::probe_first(Instant now) {
    for (std::uint32_t i = 0; i < ring_.size(); ++i) {
        const std::uint16_t entry = ring_[i];
        const bool in_flight = is_delivery(entry) && shared_->outbox.delivery(entry).state == DeliveryState::in_flight;
        if (!in_flight && entry != kPartInFlight) continue;
        queue_again(now, i);
        return note_loss(now, i);
    }
}

void LaneSender::queue_again(Instant now, std::uint32_t offset) {
    std::uint16_t& entry = ring_[offset];
    Delivery* delivery = is_delivery(entry) ? &shared_->outbox.delivery(entry) : nullptr;
    const bool skip = delivery != nullptr && delivery->state == DeliveryState::skip_sent;
    if (skip || entry == kHoleSent) {
        if (skip) delivery->state = DeliveryState::skip_owed;
        if (entry == kHoleSent) entry = kHoleOwed;
        skips_held_ = true;
        refused(now);
        return owe_skip(offset);
    }
    if (entry == kPartInFlight) {
        entry = kPartQueued;
    } else {
        if (delivery == nullptr || delivery->state != DeliveryState::in_flight) return;
        delivery->state = DeliveryState::queued;
        give_back(*delivery);
    }
    ++resends_;
    resend_from_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(resend_from_, offset));
}

}  // namespace dunlin::link
