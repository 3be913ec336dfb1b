#include <dunlin/core/assert.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/link/lane_receiver.hpp>
#include <dunlin/resilience/backoff.hpp>

#include <algorithm>
#include <iterator>

namespace dunlin::link {
namespace {

constexpr Duration kRetryBase = milliseconds{10};
constexpr Duration kRetryMax = seconds{1};

// Who is gone is counted by the publisher, what another message under the key has ended by the bus.
void count(Counters& counters, Disposition disposition) {
    constexpr Counter kCounters[] = {Counter::messages_accepted, Counter::messages_rejected, Counter::messages_retried,
                                     Counter::messages_pending,  Counter::messages_fenced,   Counter::messages_held};
    static_assert(std::size(kCounters) == static_cast<std::size_t>(Disposition::subscriber_gone));
    if (disposition < Disposition::subscriber_gone) counters.add(kCounters[static_cast<std::size_t>(disposition)]);
}

// Of a dead letter that a handler had so often before.
Effect effect_of(std::uint8_t attempts) { return attempts > 0 ? Effect::unknown : Effect::none; }

// The longest pause before a retry.
constexpr Duration kPauseMax = kRetryMax + resilience::RetryBudget::kTimePerRetry;

bool reached_handler(Disposition disposition) { return disposition <= Disposition::pending; }

}  // namespace

LaneReceiver::LaneReceiver(Lane lane, const SettlementStorage& settlements, ReceivedAliases& aliases, const LinkShared& shared,
                           PeerIndex peer)
    : book_(settlements, lane), aliases_(&aliases), shared_(&shared), peer_(peer) {}

// ---- sessions -------------------------------------------------------------------------------------------------------

void LaneReceiver::session_opened(Instant now, StreamId stream, Sequence first_unsettled) {
    book_.set_journalled(shared_->self.journalled);
    const Sequence resolved = first_unsettled == Sequence{} ? first_unsettled : first_unsettled.previous();
    if (stream != book_.stream()) {
        drop_after(Sequence{});
        book_.start(stream, resolved);
        contiguous_ = resolved;
        ++stream_tag_;
    } else {
        drop_after(contiguous_);
        drop_up_to(resolved);
        book_.raise(resolved);
        contiguous_ = std::max(contiguous_, book_.live().cumulative());
    }
    book_.session_opened();
    close_gap();
    // A handler must not run before the bus was told whose session this is: it could publish to who is gone.
    if (head_ != kNoSlot) retry_at_ = now;
}

void LaneReceiver::session_closed() { drop_after(contiguous_); }

void LaneReceiver::reset() {
    drop_after(Sequence{});
    book_.start(StreamId{}, Sequence{});
    contiguous_ = {};
    retry_at_ = kNever;
    publisher_ = {};
    ++stream_tag_;
}

bool LaneReceiver::restore_watermark(std::span<const std::byte> record) {
    book_.set_journalled(shared_->self.journalled);
    if (!book_.restore(record)) return false;
    contiguous_ = book_.live().cumulative();
    return true;
}

// ---- the inbox list -------------------------------------------------------------------------------------------------

Sequence LaneReceiver::sequence_of(std::uint16_t slot) const {
    return Sequence{widened(shared_->inbox[slot].sequence_low, contiguous_.value())};
}

// The first message of the list that comes after `sequence`; kNoSlot: none. Looked for from the end, where most of what arrives
// belongs. O(messages behind it)
std::uint16_t LaneReceiver::first_after(Sequence sequence) const {
    std::uint16_t first = kNoSlot;
    for (std::uint16_t i = tail_; i != kNoSlot && sequence_of(i) > sequence; i = shared_->inbox[i].previous) first = i;
    return first;
}

void LaneReceiver::insert(std::uint16_t slot, Sequence sequence, std::uint16_t before) {
    Inbox& inbox = shared_->inbox;
    inbox[slot].sequence_low = static_cast<std::uint32_t>(sequence.value());
    const std::uint16_t after = before == kNoSlot ? tail_ : inbox[before].previous;
    inbox[slot].previous = after;
    inbox[slot].next = before;
    (after == kNoSlot ? head_ : inbox[after].next) = slot;
    (before == kNoSlot ? tail_ : inbox[before].previous) = slot;
}

void LaneReceiver::drop(std::uint16_t slot) {
    Inbox& inbox = shared_->inbox;
    const std::uint16_t after = inbox[slot].previous;
    const std::uint16_t before = inbox[slot].next;
    (after == kNoSlot ? head_ : inbox[after].next) = before;
    (before == kNoSlot ? tail_ : inbox[before].previous) = after;
    inbox.release(slot, share_);
}

void LaneReceiver::drop_after(Sequence sequence) {
    while (tail_ != kNoSlot && sequence_of(tail_) > sequence) drop(tail_);
}

void LaneReceiver::drop_up_to(Sequence sequence) {
    while (head_ != kNoSlot && sequence_of(head_) <= sequence) drop(head_);
}

// The message that has one of these sequences; the last such.
std::uint16_t LaneReceiver::find(Sequence first, Sequence last) const {
    if (head_ == kNoSlot || last < sequence_of(head_)) return kNoSlot;
    std::uint16_t slot = tail_;
    while (sequence_of(slot) > last) slot = shared_->inbox[slot].previous;
    return last_of(slot) >= first ? slot : kNoSlot;
}

Sequence LaneReceiver::last_of(std::uint16_t slot) const { return sequence_of(slot).plus(shared_->inbox.sequences(slot) - 1U); }

// What was received out of order, or settled in an earlier life, comes in order once the gap before it is closed.
void LaneReceiver::close_gap() {
    std::uint16_t slot = head_;
    while (slot != kNoSlot && sequence_of(slot) <= contiguous_) slot = shared_->inbox[slot].next;
    for (;;) {
        const Sequence next = contiguous_.next();
        if (slot != kNoSlot && sequence_of(slot) == next) {
            if (shared_->inbox[slot].state == WaitState::partial) return;
            contiguous_ = last_of(slot);
            slot = shared_->inbox[slot].next;
        } else if (book_.live().contains(next)) {
            contiguous_ = next;
        } else {
            return;
        }
    }
}

// ---- handing over ---------------------------------------------------------------------------------------------------

// `last`: of a message's sequences.
bool LaneReceiver::may_settle(Sequence last, Outcome outcome) const {
    return book_.live().in_window(last) && (outcome == Outcome::acknowledged || book_.note_fits());
}

// The first of its sequences bears the outcome of a message; the others count as acknowledged.
void LaneReceiver::settle(Sequence first, Sequence last, Ending ending) {
    book_.settle(first, ending.outcome, ending.effect);
    for (Sequence next = first.next(); next <= last; next = next.next()) book_.settle(next, Outcome::acknowledged, Effect::none);
}

void LaneReceiver::pump(Instant now) {
    if (pumping_) {
        pump_again_ = true;
        return;
    }
    pumping_ = true;
    do {
        pump_again_ = false;
        while (pump_once(now)) {}
    } while (pump_again_);
    pumping_ = false;
}

// Settles or hands over the first message that can be; false: none can. A handler may change the list, so each step
// starts at its head again.
bool LaneReceiver::pump_once(Instant now) {
    SubscriptionId blocked{};
    for (std::uint16_t i = head_; i != kNoSlot; i = shared_->inbox[i].next) {
        const Sequence sequence = sequence_of(i);
        const Sequence last = last_of(i);
        const InboxSlot& slot = shared_->inbox[i];
        if (sequence > contiguous_ || !book_.live().in_window(last)) return false;
        if (slot.state == WaitState::decided) {
            if (!may_settle(last, slot.outcome)) continue;
            settle(sequence, last, {slot.outcome, slot.effect});
            drop(i);
            return true;
        }
        if (slot.state != WaitState::waiting || slot.subscription == blocked || !book_.note_fits()) continue;
        if (held_back(slot.subscription, sequence)) {
            blocked = slot.subscription;
            continue;
        }
        hand_over(now, i);
        return true;
    }
    return false;
}

bool LaneReceiver::held_back(SubscriptionId subscription, Sequence sequence) const {
    for (std::uint16_t i = head_; i != kNoSlot && sequence_of(i) < sequence; i = shared_->inbox[i].next) {
        if (shared_->inbox[i].subscription == subscription && shared_->inbox[i].state != WaitState::decided) return true;
    }
    return false;
}

InboundMessage LaneReceiver::inbound(Instant now, const Arrival& arrival) const {
    std::span<const std::byte> payload = arrival.stored;
    const MessageBlocks blocks = take_blocks(payload, arrival.fenced, arrival.keyed);
    return {.now = now,
            .expires = arrival.expires,
            .sequence = arrival.sequence,
            .lamport = arrival.lamport,
            .blocks = blocks,
            .payload = payload,
            .subscription = arrival.subscription,
            .publisher = publisher_,
            .peer = peer_,
            .topic = arrival.topic,
            .lane = book_.lane(),
            .stream_tag = stream_tag_,
            .maybe_repeated = arrival.maybe_repeated};
}

void LaneReceiver::hand_over(Instant now, std::uint16_t index) {
    const InboxSlot& slot = shared_->inbox[index];
    if (slot.expires <= now) {
        decide(index, {Outcome::expired, effect_of(slot.attempts)});
        return;
    }
    const Arrival arrival{.sequence = sequence_of(index),
                          .expires = slot.expires,
                          .lamport = slot.lamport,
                          .stored = shared_->inbox.stored(index),
                          .subscription = slot.subscription,
                          .topic = slot.topic,
                          .payload_bytes = slot.payload_bytes,
                          .fenced = slot.fenced,
                          .keyed = slot.keyed,
                          .maybe_repeated = slot.maybe_repeated};
    decide(index, conclude(now, index, offer(now, inbound(now, arrival), slot.attempts)));
}

// `attempts`: how often a handler had it before.
Disposition LaneReceiver::offer(Instant now, const InboundMessage& message, std::uint8_t attempts) {
    Counters& counters = shared_->counters;
    const Disposition disposition = shared_->sink.deliver(message);
    count(counters, disposition);
    if (!reached_handler(disposition)) return disposition;
    if (attempts == 0) shared_->inbox.retries(peer_).on_sent(now);
    counters.add(attempts > 0 ? Counter::messages_delivered_again : Counter::messages_delivered);
    if (message.maybe_repeated && attempts == 0) counters.add(Counter::messages_maybe_repeated);
    return disposition;
}

// What a disposition means for a stored message: its outcome, or none yet and the state that it waits in.
LaneReceiver::Ending LaneReceiver::conclude(Instant now, std::uint16_t index, Disposition disposition) {
    InboxSlot& slot = shared_->inbox[index];
    switch (disposition) {
        case Disposition::accepted_before:
        case Disposition::accepted: return {Outcome::acknowledged, Effect::none};
        case Disposition::rejected_before:
        case Disposition::rejected: return {Outcome::rejected, Effect::unknown};
        case Disposition::fenced: return {Outcome::fenced, effect_of(slot.attempts)};
        case Disposition::subscriber_gone: return {Outcome::subscriber_gone, effect_of(slot.attempts)};
        case Disposition::retry_later:
            if (slot.attempts < 255) ++slot.attempts;
            if (slot.attempts >= shared_->self.attempts_max) return {Outcome::retry_budget, Effect::unknown};
            slot.state = WaitState::retry;
            schedule_retry(now, slot, Duration{0});
            break;
        case Disposition::pending:
            if (slot.attempts < 255) ++slot.attempts;
            slot.state = WaitState::pending;
            break;
        case Disposition::held: slot.state = WaitState::held; break;
    }
    return {};
}

void LaneReceiver::decide(std::uint16_t index, Ending ending) {
    if (ending.outcome == Outcome::none) return;
    InboxSlot& slot = shared_->inbox[index];
    slot.state = WaitState::decided;
    slot.outcome = ending.outcome;
    slot.effect = ending.effect;
    shared_->inbox.release_bytes(index, share_);
}

// ---- later ----------------------------------------------------------------------------------------------------------

Status LaneReceiver::complete(Instant now, Sequence sequence, std::uint16_t stream_tag, Disposition disposition) {
    if (disposition == Disposition::held) return Status::invalid_argument;
    const std::uint16_t slot = stream_tag == stream_tag_ ? find(sequence, sequence) : kNoSlot;
    if (slot == kNoSlot || sequence_of(slot) != sequence || shared_->inbox[slot].state != WaitState::pending) return Status::not_found;
    if (disposition == Disposition::pending) return Status::ok;
    count(shared_->counters, disposition);
    decide(slot, conclude(now, slot, disposition));
    pump(now);
    return Status::ok;
}

void LaneReceiver::release_held(Instant now) {
    for (std::uint16_t i = head_; i != kNoSlot; i = shared_->inbox[i].next) {
        if (shared_->inbox[i].state == WaitState::held) shared_->inbox[i].state = WaitState::waiting;
    }
    pump(now);
}

// By chance of its own also where it waits for the budget: else all would be back together when that has its next token.
void LaneReceiver::schedule_retry(Instant now, InboxSlot& slot, Duration at_least) {
    const Duration pause = at_least + resilience::backoff_pause(shared_->random, kRetryBase, kRetryMax, slot.attempts - 1U);
    slot.retry_at = ShortInstant(now + pause);
    retry_at_ = earlier(retry_at_, slot.retry_at.near(now, kPauseMax));
}

// A handler wanted it later: now, if it is time and the budget allows it.
void LaneReceiver::retry(Instant now, InboxSlot& slot) {
    const Instant due = slot.retry_at.near(now, kPauseMax);
    if (now < due) {
        retry_at_ = earlier(retry_at_, due);
        return;
    }
    resilience::RetryBudget& budget = shared_->inbox.retries(peer_);
    if (budget.take(now, shared_->random)) {
        slot.state = WaitState::waiting;
        return;
    }
    shared_->counters.add(Counter::retry_budget_waits);
    schedule_retry(now, slot, budget.wait(now));
}

void LaneReceiver::on_timeout(Instant now) {
    if (now < retry_at_) return;
    retry_at_ = kNever;
    for (std::uint16_t i = head_; i != kNoSlot; i = shared_->inbox[i].next) {
        if (shared_->inbox[i].state == WaitState::retry) retry(now, shared_->inbox[i]);
    }
    pump(now);
}

void LaneReceiver::on_packet_acked(Instant now, const SentPacket& packet) {
    if (book_.on_packet_acked(packet)) pump(now);
}

}  // namespace dunlin::link
