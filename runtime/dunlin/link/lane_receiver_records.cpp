#include <dunlin/core/padding.hpp>
#include <dunlin/link/lane_receiver.hpp>

#include <algorithm>

// Of LaneReceiver, what arrives in packets: declarations, runs and skips.
namespace dunlin::link {
namespace {

// No sender has a longer window: what is further ahead is not believed.
constexpr std::uint64_t kWindowMax = 0xffff;

constexpr auto kFence = static_cast<std::uint8_t>(wire::MessageFlag::fence);
constexpr auto kKey = static_cast<std::uint8_t>(wire::MessageFlag::explicit_key);
constexpr auto kMaybeRepeated = static_cast<std::uint8_t>(wire::MessageFlag::maybe_repeated);

// When a lifetime ends that starts now. Its largest values are longer than time itself: kNever, as for 0, no lifetime.
Instant expiry(Instant now, const wire::MessageHead& head) {
    const std::int64_t ms = std::int64_t{head.lifetime()} << head.lifetime_shift();
    if (ms == 0 || ms > Duration::max().count() / 1000) return kNever;
    return saturating_add(now, milliseconds{ms});
}

}  // namespace

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
    const bool known = (head.flags() & ~(kFence | kKey | kMaybeRepeated)) == 0;
    arrival.fenced = (head.flags() & kFence) != 0;
    arrival.keyed = (head.flags() & kKey) != 0;
    const std::size_t stored = head.length() + blocks_bytes(arrival.fenced, arrival.keyed);
    const std::size_t padded = padded_to<4>(stored);
    const bool sane = arrival.sequence.value() <= contiguous_.value() + kWindowMax && head.lifetime_shift() < 40;
    if (!whole || !known || !sane || bytes.size() < padded) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    const ReceivedAlias* alias = aliases_.find(head.alias(), number_low);
    if (alias == nullptr) return false;
    arrival.expires = expiry(now, head);
    const bool for_ever = arrival.keyed && arrival.expires == kNever;
    arrival.refused = head.length() > shared_->inbox.message_bytes_max() || for_ever;
    arrival.stored = bytes.first(arrival.refused ? 0 : stored);
    arrival.payload_bytes = head.length();
    arrival.subscription = alias->subscription;
    arrival.topic = alias->topic;
    arrival.maybe_repeated = (head.flags() & kMaybeRepeated) != 0;
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
    if (arrival.refused ? !settle_unseen(arrival.sequence, {Outcome::rejected, Effect::none}) : !has_room(arrival)) return false;
    shared_->counters.add(Counter::messages_received);
    if (arrival.refused) {
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
        const Disposition disposition = offer(now, inbound(now, arrival), 0);
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
    slot.keyed = arrival.keyed;
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

}  // namespace dunlin::link
