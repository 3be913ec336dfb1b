#include <dunlin/core/assert.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/link/lane_receiver.hpp>
#include <dunlin/resilience/backoff.hpp>

#include <algorithm>
#include <iterator>

namespace dunlin::link {
namespace {

constexpr Duration kRetryBase = milliseconds{10};
constexpr Duration kRetryMax = seconds{1};
// No sender has a longer window: what is further ahead is not believed.
constexpr std::uint64_t kWindowMax = 0xffff;

constexpr auto kFence = static_cast<std::uint8_t>(wire::MessageFlag::fence);
constexpr auto kMaybeRepeated = static_cast<std::uint8_t>(wire::MessageFlag::maybe_repeated);

// Who is gone is counted by the publisher.
void count(Counters& counters, Disposition disposition) {
    constexpr Counter kCounters[] = {Counter::messages_accepted, Counter::messages_rejected, Counter::messages_retried,
                                     Counter::messages_pending,  Counter::messages_fenced,   Counter::messages_held};
    static_assert(std::size(kCounters) == static_cast<std::size_t>(Disposition::subscriber_gone));
    if (disposition != Disposition::subscriber_gone) counters.add(kCounters[static_cast<std::size_t>(disposition)]);
}

// When a lifetime ends that starts now. Its largest values are longer than time itself: kNever, as for 0, no lifetime.
Instant expiry(Instant now, const wire::MessageHead& head) {
    const std::int64_t ms = std::int64_t{head.lifetime()} << head.lifetime_shift();
    if (ms == 0 || ms > Duration::max().count() / 1000) return kNever;
    return saturating_add(now, milliseconds{ms});
}

// Of a dead letter that a handler had so often before.
Effect effect_of(std::uint8_t attempts) { return attempts > 0 ? Effect::unknown : Effect::none; }

bool reached_handler(Disposition disposition) { return disposition <= Disposition::pending; }

}  // namespace

LaneReceiver::LaneReceiver(const SettlementStorage& settlements, std::span<ReceivedAlias> aliases, const LinkShared& shared, PeerIndex peer)
    : book_(settlements), aliases_(aliases), shared_(&shared), peer_(peer) {
    aliases_.clear();
}

// ---- sessions -------------------------------------------------------------------------------------------------------

void LaneReceiver::session_opened(Instant now, StreamId stream, Sequence first_unsettled) {
    book_.set_journalled(shared_->self.journalled);
    aliases_.clear();
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

void LaneReceiver::insert(std::uint16_t slot, Sequence sequence) {
    Inbox& inbox = shared_->inbox;
    inbox[slot].sequence_low = static_cast<std::uint32_t>(sequence.value());
    std::uint16_t after = tail_;
    while (after != kNoSlot && sequence_of(after) > sequence) after = inbox[after].previous;
    const std::uint16_t before = after == kNoSlot ? head_ : inbox[after].next;
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

std::uint16_t LaneReceiver::find(Sequence sequence) const {
    if (head_ == kNoSlot || sequence < sequence_of(head_)) return kNoSlot;
    std::uint16_t slot = tail_;
    while (sequence_of(slot) > sequence) slot = shared_->inbox[slot].previous;
    return sequence_of(slot) == sequence ? slot : kNoSlot;
}

// What was received out of order, or settled in an earlier life, comes in order once the gap before it is closed.
void LaneReceiver::close_gap() {
    std::uint16_t slot = head_;
    while (slot != kNoSlot && sequence_of(slot) <= contiguous_) slot = shared_->inbox[slot].next;
    for (;;) {
        const Sequence next = contiguous_.next();
        if (slot != kNoSlot && sequence_of(slot) == next) {
            slot = shared_->inbox[slot].next;
        } else if (!book_.live().contains(next)) {
            return;
        }
        contiguous_ = next;
    }
}

// ---- records --------------------------------------------------------------------------------------------------------

bool LaneReceiver::on_alias(std::uint32_t number_low, const wire::Record& record) {
    const auto declare = record.as<wire::AliasDeclare>();
    if (!aliases_.fits(declare.alias()) || record.bytes.empty()) {
        shared_->counters.add(aliases_.fits(declare.alias()) ? Counter::records_malformed : Counter::alias_table_full);
        return false;
    }
    const std::string_view name(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
    const TopicIndex topic = shared_->sink.intern(name);
    if (topic == kNoTopic) return false;
    aliases_.declare(declare.alias(), number_low, topic, SubscriptionId{declare.subscription()});
    return true;
}

bool LaneReceiver::on_run(Instant now, std::uint32_t number_low, const wire::Record& record) {
    const auto run = record.as<wire::Run>();
    std::span<const std::byte> bytes = record.bytes;
    if (run.lane() != 0 || run.first_sequence() == 0 || run.first_sequence() > ~std::uint64_t{0} - run.count()) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    LinkSelf& self = shared_->self;
    self.lamport = std::max(self.lamport, Lamport{run.lamport()}).next();
    Arrival arrival;
    arrival.lamport = Lamport{run.lamport()};
    for (std::uint64_t i = 0; i < run.count(); ++i) {
        arrival.sequence = Sequence{run.first_sequence() + i};
        if (!read_message(now, number_low, bytes, arrival)) return false;
        if (!take_message(now, arrival)) {
            shared_->counters.add(Counter::inbox_full_drops);
            return false;
        }
    }
    return true;
}

bool LaneReceiver::read_message(Instant now, std::uint32_t number_low, std::span<const std::byte>& bytes, Arrival& arrival) {
    wire::MessageHead head;
    const bool whole = take(bytes, head);
    const bool known = (head.flags() & ~(kFence | kMaybeRepeated)) == 0;
    arrival.fenced = (head.flags() & kFence) != 0;
    const std::size_t stored = head.length() + (arrival.fenced ? sizeof(wire::FenceBlock) : 0U);
    const std::size_t padded = padded_to<4>(stored);
    const bool sane = arrival.sequence.value() <= contiguous_.value() + kWindowMax && head.lifetime_shift() < 40;
    if (!whole || !known || !sane || bytes.size() < padded) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    const ReceivedAlias* alias = aliases_.find(head.alias(), number_low);
    if (alias == nullptr) return false;
    arrival.too_long = head.length() > shared_->inbox.message_bytes_max();
    arrival.stored = bytes.first(arrival.too_long ? 0 : stored);
    arrival.payload_bytes = head.length();
    arrival.subscription = alias->subscription;
    arrival.topic = alias->topic;
    arrival.maybe_repeated = (head.flags() & kMaybeRepeated) != 0;
    arrival.expires = expiry(now, head);
    bytes = bytes.subspan(padded);
    return true;
}

bool LaneReceiver::is_duplicate(Sequence sequence) const {
    return sequence <= contiguous_ || book_.live().contains(sequence) || find(sequence) != kNoSlot;
}

// False: no room, the packet must come again.
bool LaneReceiver::take_message(Instant now, const Arrival& arrival) {
    if (is_duplicate(arrival.sequence)) {
        shared_->counters.add(Counter::messages_duplicate);
        return true;
    }
    if (arrival.too_long ? !settle_unseen(arrival.sequence, {Outcome::rejected, Effect::none}) : !has_room(arrival)) return false;
    shared_->counters.add(Counter::messages_received);
    if (arrival.too_long) {
        pump(now);
    } else if (arrival.sequence == contiguous_.next()) {
        take_in_order(now, arrival);
    } else {
        insert(store(arrival), arrival.sequence);
    }
    return true;
}

// Whatever a handler says of the message, it can be kept: so this is asked before one gets it.
bool LaneReceiver::has_room(const Arrival& arrival) const {
    const Inbox& inbox = shared_->inbox;
    if (inbox.may_wait(arrival.stored.size(), share_)) return true;
    const bool handed_over =
        arrival.sequence == contiguous_.next() && may_hand_over(arrival.sequence) && !held_back(arrival.subscription, arrival.sequence);
    return handed_over && inbox.fits(arrival.stored.size()) && !inbox.has_unsettled(arrival.subscription);
}

// Whatever is said of it, it can be settled.
bool LaneReceiver::may_hand_over(Sequence sequence) const { return !pumping_ && book_.live().in_window(sequence) && book_.note_fits(); }

// The fast path: nothing is in its way, so the handler gets it out of the packet, and only what it does not settle is
// copied. What the message lets go is handed over at once, so that its room is free for the rest of the packet.
void LaneReceiver::take_in_order(Instant now, const Arrival& arrival) {
    const bool alone = head_ == kNoSlot || sequence_of(head_) > contiguous_;
    const bool direct = alone && may_hand_over(arrival.sequence);
    contiguous_ = arrival.sequence;
    if (direct) {
        pumping_ = true;
        const Disposition disposition = offer(inbound(arrival), 0);
        pumping_ = false;
        if (disposition == Disposition::accepted) {
            book_.settle(arrival.sequence, Outcome::acknowledged, Effect::none);
        } else {
            const std::uint16_t slot = store(arrival);
            insert(slot, arrival.sequence);
            decide(slot, conclude(now, slot, disposition));
        }
    } else {
        insert(store(arrival), arrival.sequence);
    }
    close_gap();
    if (head_ != kNoSlot) pump(now);
}

std::uint16_t LaneReceiver::store(const Arrival& arrival) {
    const std::uint16_t index = shared_->inbox.put(arrival.stored, share_);
    InboxSlot& slot = shared_->inbox[index];
    slot.expires = arrival.expires;
    slot.lamport = arrival.lamport;
    slot.subscription = arrival.subscription;
    slot.payload_bytes = arrival.payload_bytes;
    slot.topic = arrival.topic;
    slot.fenced = arrival.fenced;
    slot.maybe_repeated = arrival.maybe_repeated;
    return index;
}

bool LaneReceiver::on_skip(Instant now, const wire::Record& record) {
    const auto skip = record.as<wire::Skip>();
    if (skip.lane() != 0 || skip.first() == 0 || skip.count() == 0 || skip.count() > kWindowMax ||
        skip.first() > contiguous_.value() + kWindowMax) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    shared_->counters.add(Counter::skips_received);
    const bool answer = (skip.flags() & static_cast<std::uint8_t>(wire::SkipFlag::answer)) != 0;
    const std::uint64_t end = skip.first() + skip.count();
    bool taken = true;
    for (std::uint64_t value = std::max(skip.first(), book_.live().cumulative().value() + 1); value < end && taken; ++value) {
        taken = skip_one(Sequence{value}, answer);
    }
    pump(now);
    book_.owe();
    return taken;
}

// False: no room to remember it.
bool LaneReceiver::skip_one(Sequence sequence, bool answer) {
    const Verdict unseen = answer ? Verdict{Outcome::skipped, Effect::none} : Verdict{Outcome::acknowledged, Effect::none};
    if (const std::uint16_t slot = find(sequence); slot != kNoSlot) {
        const InboxSlot& held = shared_->inbox[slot];
        // A handler that has it, or had its say, decides its outcome.
        if (held.state == WaitState::pending || held.state == WaitState::decided) return true;
        const bool seen = answer && held.attempts > 0;
        decide(slot, seen ? Verdict{Outcome::expired, Effect::unknown} : unseen);
        return true;
    }
    if (sequence <= contiguous_ || book_.live().contains(sequence)) return true;
    return settle_unseen(sequence, unseen);
}

// Settles what no handler gets, or keeps its outcome until it can; false: no room to remember it.
bool LaneReceiver::settle_unseen(Sequence sequence, Verdict verdict) {
    const bool in_order = sequence == contiguous_.next();
    if (in_order && may_settle(sequence, verdict.outcome)) {
        book_.settle(sequence, verdict.outcome, verdict.effect);
    } else {
        const std::uint16_t slot = shared_->inbox.put_empty(share_);
        if (slot == kNoSlot) return false;
        insert(slot, sequence);
        decide(slot, verdict);
    }
    if (!in_order) return true;
    contiguous_ = sequence;
    close_gap();
    return true;
}

// ---- handing over ---------------------------------------------------------------------------------------------------

bool LaneReceiver::may_settle(Sequence sequence, Outcome outcome) const {
    return book_.live().in_window(sequence) && (outcome == Outcome::acknowledged || book_.note_fits());
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
        const InboxSlot& slot = shared_->inbox[i];
        if (sequence > contiguous_ || !book_.live().in_window(sequence)) return false;
        if (slot.state == WaitState::decided) {
            if (!may_settle(sequence, slot.outcome)) continue;
            book_.settle(sequence, slot.outcome, slot.effect);
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

InboundMessage LaneReceiver::inbound(const Arrival& arrival) const {
    InboundMessage message;
    message.sequence = arrival.sequence;
    message.lamport = arrival.lamport;
    message.payload = arrival.stored;
    message.subscription = arrival.subscription;
    message.publisher = publisher_;
    message.peer = peer_;
    message.topic = arrival.topic;
    message.stream_tag = stream_tag_;
    message.fenced = arrival.fenced;
    message.maybe_repeated = arrival.maybe_repeated;
    if (arrival.fenced) {
        wire::FenceBlock fence;
        const bool whole = take(message.payload, fence);
        DUNLIN_ASSERT(whole);
        message.lease = LeaseKey{fence.lease()};
        message.token = Token{fence.token()};
    }
    return message;
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
                          .maybe_repeated = slot.maybe_repeated};
    decide(index, conclude(now, index, offer(inbound(arrival), slot.attempts)));
}

// `attempts`: how often a handler had it before.
Disposition LaneReceiver::offer(const InboundMessage& message, std::uint8_t attempts) {
    Counters& counters = shared_->counters;
    const Disposition disposition = shared_->sink.deliver(message);
    count(counters, disposition);
    if (!reached_handler(disposition)) return disposition;
    counters.add(attempts > 0 ? Counter::messages_delivered_again : Counter::messages_delivered);
    if (message.maybe_repeated && attempts == 0) counters.add(Counter::messages_maybe_repeated);
    return disposition;
}

// What a disposition means for a stored message: its outcome, or none yet and the state that it waits in.
LaneReceiver::Verdict LaneReceiver::conclude(Instant now, std::uint16_t index, Disposition disposition) {
    InboxSlot& slot = shared_->inbox[index];
    switch (disposition) {
        case Disposition::accepted: return {Outcome::acknowledged, Effect::none};
        case Disposition::rejected: return {Outcome::rejected, Effect::unknown};
        case Disposition::fenced: return {Outcome::fenced, effect_of(slot.attempts)};
        case Disposition::subscriber_gone: return {Outcome::subscriber_gone, effect_of(slot.attempts)};
        case Disposition::retry_later:
            if (slot.attempts < 255) ++slot.attempts;
            slot.state = WaitState::retry;
            schedule_retry(now, slot.attempts);
            break;
        case Disposition::pending:
            if (slot.attempts < 255) ++slot.attempts;
            slot.state = WaitState::pending;
            break;
        case Disposition::held: slot.state = WaitState::held; break;
    }
    return {};
}

void LaneReceiver::decide(std::uint16_t index, Verdict verdict) {
    if (verdict.outcome == Outcome::none) return;
    InboxSlot& slot = shared_->inbox[index];
    slot.state = WaitState::decided;
    slot.outcome = verdict.outcome;
    slot.effect = verdict.effect;
    shared_->inbox.release_bytes(index, share_);
}

// ---- later ----------------------------------------------------------------------------------------------------------

Status LaneReceiver::complete(Instant now, Sequence sequence, std::uint16_t stream_tag, Disposition disposition) {
    if (disposition == Disposition::held) return Status::invalid_argument;
    const std::uint16_t slot = stream_tag == stream_tag_ ? find(sequence) : kNoSlot;
    if (slot == kNoSlot || shared_->inbox[slot].state != WaitState::pending) return Status::not_found;
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

void LaneReceiver::schedule_retry(Instant now, std::uint8_t attempts) {
    const Duration pause = resilience::backoff_pause(shared_->random, kRetryBase, kRetryMax, attempts - 1U);
    retry_at_ = earlier(retry_at_, now + std::max<Duration>(pause, milliseconds{1}));
}

void LaneReceiver::on_timeout(Instant now) {
    if (now < retry_at_) return;
    retry_at_ = kNever;
    for (std::uint16_t i = head_; i != kNoSlot; i = shared_->inbox[i].next) {
        if (shared_->inbox[i].state == WaitState::retry) shared_->inbox[i].state = WaitState::waiting;
    }
    pump(now);
}

void LaneReceiver::on_packet_acked(Instant now, const SentPacket& packet) {
    if (book_.on_packet_acked(packet)) pump(now);
}

}  // namespace dunlin::link
