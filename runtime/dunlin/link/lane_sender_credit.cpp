// The part of LaneSender that keeps to the peer's credit, and to a pace where there may be no room (docs/decisions/0014).
#include <dunlin/core/assert.hpp>
#include <dunlin/link/lane_sender.hpp>
#include <dunlin/resilience/backoff.hpp>

namespace dunlin::link {
namespace {

// Between tries of what the peer may have no room for, with backoff and full jitter; and at least before the first try of a message
// that the peer's credit does not allow: where it settles something meanwhile there is no need to try.
constexpr Duration kPauseBase = milliseconds{10};
constexpr Duration kPauseMax = seconds{1};
constexpr Duration kFirstPause = milliseconds{100};

}  // namespace

// ---- credit ---------------------------------------------------------------------------------------------------------

// What is to be sent next, as far as the peer's credit allows; ring_.size(): nothing. Marks in the common account whether this lane
// waits for credit, for the lanes below it.
std::uint32_t LaneSender::claim_next() const {
    const std::uint32_t due = next_due();
    const bool waits = due < ring_.size() && !has_credit(due);
    common_->credit.waits(lane_, waits);
    return waits ? static_cast<std::uint32_t>(ring_.size()) : due;
}

// The oldest message of a lane needs none: what a peer has room for is found out with it. So may another one now and then that is the
// first which the peer may not have: a handler may take it, though that of another subscription keeps all credit.
bool LaneSender::has_credit(std::uint32_t offset) const {
    if (is_delivery(ring_[offset]) && common_->credit.ample(units_of(shared_->outbox.delivery(ring_[offset])))) return true;
    if (!doubtful(offset) && allowed(offset)) return true;
    if (pausing_) return false;
    return offset == 0 || allowed(offset) || (pass_ && offset == missing() && !common_->credit.yields(lane_));
}

// There may be no room for it: credit does not cover it, or is the least that is ever stated.
bool LaneSender::doubtful(std::uint32_t offset) const {
    if (offset == 0 && common_->credit.least()) return true;
    return is_delivery(ring_[offset]) && !common_->credit.covers(units_of(shared_->outbox.delivery(ring_[offset])));
}

bool LaneSender::allowed(std::uint32_t offset) const { return !is_delivery(ring_[offset]) || common_->credit.allows(lane_); }

std::uint32_t LaneSender::units_of(const Delivery& delivery) const {
    return Credit::units_of(stored_bytes(shared_->outbox.message(delivery.message)));
}

void LaneSender::charge(std::uint32_t offset) {
    if (!is_delivery(ring_[offset])) return;
    Delivery& delivery = shared_->outbox.delivery(ring_[offset]);
    DUNLIN_ASSERT(!delivery.counted);
    delivery.counted = true;
    if (pass_ && !allowed(offset)) pass_ = false;
    common_->credit.take(units_of(delivery));
}

void LaneSender::give_back(Delivery& delivery) {
    if (!delivery.counted) return;
    delivery.counted = false;
    common_->credit.give_back(units_of(delivery));
}

// ---- pace -----------------------------------------------------------------------------------------------------------

// Without credit, or after a loss that may have been a refusal, the next try is not yet.
void LaneSender::pause(Instant now, Duration at_least) {
    pausing_ = true;
    pass_ = refused_ = false;
    const Instant end = now + at_least + resilience::backoff_pause(shared_->random, kPauseBase, kPauseMax, lost_);
    paused_until_ = ShortInstant(end);
    expiry_ = earlier(expiry_, paused_until_.near(now, kFirstPause + kPauseMax));
}

// Something was lost for which there may be no room.
void LaneSender::refused(Instant now) {
    if (pausing_ && refused_) return;  // of the same packet, or of one that left with it
    pause(now, Duration{0});
    refused_ = true;
    if (lost_ < 15) lost_ = (lost_ + 1U) & 15U;
}

// What seemed to be lost has arrived, all of it: the next that goes without credit has a pause of its own before it.
void LaneSender::none_refused(Instant now) {
    if (!refused_ || skips_held_) return;
    pausing_ = refused_ = pass_ = false;
    pace(now);
}

void LaneSender::end_pause(Instant now) {
    const Instant end = paused_until_.near(now, kFirstPause + kPauseMax);
    pausing_ = end > now;
    if (pausing_) {
        expiry_ = end;
        return;
    }
    pass_ = !skips_held_;  // skips have waited, and no message
    skips_held_ = false;
}

void LaneSender::pace(Instant now) {
    if (!session_ || pausing_ || pass_) return;
    const std::uint32_t due = next_due();
    if (due >= ring_.size() || has_credit(due)) return;
    shared_->counters.add(Counter::credit_waits);
    pause(now, kFirstPause);
}

// The message that is to be sent next was lost.
void LaneSender::note_loss(Instant now, std::uint32_t due) {
    if (doubtful(due)) refused(now);
}

}  // namespace dunlin::link
