#include <dunlin/core/padding.hpp>
#include <dunlin/link/lane_receiver.hpp>

#include <algorithm>

// The part of LaneReceiver that takes declarations and runs.
namespace dunlin::link {
namespace {

constexpr auto kFragment = static_cast<std::uint8_t>(wire::MessageFlag::fragment);
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
    if (!aliases_->fits(declare.alias()) || record.bytes.empty()) {
        shared_->counters.add(aliases_->fits(declare.alias()) ? Counter::records_malformed : Counter::alias_table_full);
        return false;
    }
    const std::string_view name(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
    const TopicIndex topic = shared_->sink.intern(name);
    if (topic == kNoTopic) return false;
    aliases_->declare(declare.alias(), number_low, topic, SubscriptionId{declare.subscription()});
    return true;
}

bool LaneReceiver::on_run(Instant now, std::uint32_t number_low, const wire::Record& record) {
    const auto run = record.as<wire::Run>();
    std::span<const std::byte> bytes = record.bytes;
    if (run.lane() != index_of(book_.lane()) || run.first_sequence() == 0 || run.first_sequence() > ~std::uint64_t{0} - run.count()) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    LinkSelf& self = shared_->self;
    self.lamport = std::max(self.lamport, Lamport{run.lamport()}).next();
    Arrival arrival;
    arrival.lamport = Lamport{run.lamport()};
    Sequence place{run.first_sequence()};
    for (std::uint16_t i = 0; i < run.count(); ++i) {
        if (!read_message(now, number_low, place, bytes, arrival)) return false;
        if (!take_message(now, arrival)) {
            shared_->counters.add(Counter::inbox_full_drops);
            return false;
        }
        place = place.plus(arrival.pieces);
    }
    return true;
}

// Takes a message's head and shape off `bytes`; false: not valid. `place`: the sequence of its first fragment here.
bool LaneReceiver::read_shape(std::span<const std::byte>& bytes, Sequence place, Arrival& arrival, wire::MessageHead& head) {
    const bool has_head = take(bytes, head);
    if (!has_head || (head.flags() & ~(kFence | kKey | kFragment | kMaybeRepeated)) != 0 || head.lifetime_shift() >= 40) return false;
    wire::FragmentBlock fragment(head.length(), 0);
    if ((head.flags() & kFragment) != 0 && !take(bytes, fragment)) return false;
    arrival.fenced = (head.flags() & kFence) != 0;
    arrival.keyed = (head.flags() & kKey) != 0;
    const std::size_t body = blocks_bytes(arrival.fenced, arrival.keyed) + fragment.total();
    const std::size_t start = fragment.index() * kFragmentBytes;
    const std::size_t length = (head.flags() & kFragment) != 0 ? head.length() : body;
    if (padded_to<4>(length) > bytes.size() || start + length > body || fragment.index() >= place.value()) return false;
    if (start + length < body && (length == 0 || length % kFragmentBytes != 0)) return false;
    arrival.stored = bytes.first(length);
    arrival.payload_bytes = fragment.total();
    arrival.index = fragment.index();
    arrival.pieces = static_cast<std::uint16_t>(fragments_of(length));
    arrival.sequences = static_cast<std::uint16_t>(fragments_of(body));
    arrival.sequence = Sequence{place.value() - fragment.index()};
    bytes = bytes.subspan(padded_to<4>(length));
    return true;
}

bool LaneReceiver::read_message(Instant now, std::uint32_t number_low, Sequence place, std::span<const std::byte>& bytes,
                                Arrival& arrival) {
    wire::MessageHead head;
    const bool valid = read_shape(bytes, place, arrival, head);
    if (!valid || arrival.last() < arrival.sequence || arrival.last().value() > contiguous_.value() + kWindowMax) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    const ReceivedAlias* alias = aliases_->find(head.alias(), number_low);
    if (alias == nullptr) return false;
    arrival.subscription = alias->subscription;
    arrival.topic = alias->topic;
    arrival.maybe_repeated = (head.flags() & kMaybeRepeated) != 0;
    arrival.expires = expiry(now, head);
    const bool for_ever = arrival.keyed && arrival.expires == kNever;
    arrival.refused = arrival.payload_bytes > shared_->inbox.message_bytes_max() || for_ever;
    arrival.slot = find(arrival.sequence, arrival.last());
    if (!joins(arrival) || is_part_of(arrival.slot, arrival)) return true;
    shared_->counters.add(Counter::records_malformed);
    return false;
}

// A part of a message that has more to come.
bool LaneReceiver::joins(const Arrival& arrival) const {
    return arrival.slot != kNoSlot && shared_->inbox[arrival.slot].state == WaitState::partial;
}

bool LaneReceiver::is_part_of(std::uint16_t slot, const Arrival& arrival) const {
    const InboxSlot& held = shared_->inbox[slot];
    return sequence_of(slot) == arrival.sequence && held.payload_bytes == arrival.payload_bytes && held.fenced == arrival.fenced &&
           held.keyed == arrival.keyed && held.subscription == arrival.subscription && held.topic == arrival.topic;
}

// None of these sequences is wanted any more.
bool LaneReceiver::is_settled(Sequence first, Sequence last) const {
    if (first <= contiguous_) return true;
    for (Sequence next = first; next <= last; next = next.next()) {
        if (book_.live().contains(next)) return true;
    }
    return false;
}

// False: no room, the packet must come again.
bool LaneReceiver::take_message(Instant now, const Arrival& arrival) {
    if (arrival.refused) return refuse(now, arrival);
    if (joins(arrival)) {
        take_fragments(now, arrival.slot, arrival);
        return true;
    }
    if (arrival.slot != kNoSlot || is_settled(arrival.sequence, arrival.last())) {
        shared_->counters.add(Counter::messages_duplicate);
        return true;
    }
    if (!has_room(arrival)) return false;
    if (!arrival.whole()) {
        const std::uint16_t slot = store(arrival);
        insert(slot, arrival.sequence);
        take_fragments(now, slot, arrival);
        return true;
    }
    shared_->counters.add(Counter::messages_received);
    if (arrival.sequence == contiguous_.next()) {
        take_in_order(now, arrival);
    } else {
        insert(store(arrival), arrival.sequence);
    }
    return true;
}

// Each of its sequences is settled as it comes: the first bears the outcome, upon which the publisher skips the rest.
bool LaneReceiver::refuse(Instant now, const Arrival& arrival) {
    bool fresh = false;
    for (std::uint16_t i = 0; i < arrival.pieces; ++i) {
        const Sequence place = arrival.sequence.plus(std::uint64_t{arrival.index} + i);
        if (find(place, place) != kNoSlot || is_settled(place, place)) continue;
        const Outcome outcome = place == arrival.sequence ? Outcome::rejected : Outcome::acknowledged;
        if (!settle_unseen(place, {outcome, Effect::none}, first_after(place))) return false;
        close_gap();
        if (place == arrival.sequence) shared_->counters.add(Counter::messages_received);
        fresh = true;
    }
    if (!fresh) shared_->counters.add(Counter::messages_duplicate);
    pump(now);
    return true;
}

// Whatever a handler says of the message, it can be kept: so this is asked before one gets it.
bool LaneReceiver::has_room(const Arrival& arrival) const {
    const Inbox& inbox = shared_->inbox;
    const std::size_t body = blocks_bytes(arrival.fenced, arrival.keyed) + arrival.payload_bytes;
    const std::size_t kept = arrival.whole() ? body : Inbox::bytes_in_fragments(body);
    if (inbox.may_wait(kept, share_)) return true;
    const bool handed_over =
        arrival.sequence == contiguous_.next() && may_hand_over(arrival.last()) && !held_back(arrival.subscription, arrival.sequence);
    return handed_over && inbox.fits(kept) && !inbox.has_unsettled(arrival.subscription);
}

// Whatever is said of it, it can be settled. `last`: of its sequences.
bool LaneReceiver::may_hand_over(Sequence last) const { return !pumping_ && book_.live().in_window(last) && book_.note_fits(); }

// The fast path: nothing is in its way, so the handler gets it out of the packet, and only what it does not settle is
// copied. What the message lets go is handed over at once, so that its room is free for the rest of the packet.
void LaneReceiver::take_in_order(Instant now, const Arrival& arrival) {
    const bool alone = head_ == kNoSlot || sequence_of(head_) > contiguous_;
    const bool direct = alone && may_hand_over(arrival.last());
    contiguous_ = arrival.last();
    if (direct) {
        pumping_ = true;
        const Disposition disposition = offer(now, inbound(now, arrival), 0);
        pumping_ = false;
        if (disposition == Disposition::accepted) {
            settle(arrival.sequence, arrival.last(), {Outcome::acknowledged, Effect::none});
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

void LaneReceiver::take_fragments(Instant now, std::uint16_t slot, const Arrival& arrival) {
    InboxSlot& held = shared_->inbox[slot];
    held.maybe_repeated = held.maybe_repeated || arrival.maybe_repeated;
    held.expires = std::min(held.expires, arrival.expires);
    const FragmentsAdded added = shared_->inbox.add_fragments(slot, arrival.index, arrival.stored);
    if (added == FragmentsAdded::none) shared_->counters.add(Counter::messages_duplicate);
    if (added != FragmentsAdded::last) return;
    held.state = WaitState::waiting;
    shared_->counters.add(Counter::messages_received);
    shared_->counters.add(Counter::messages_joined);
    close_gap();
    pump(now);
}

std::uint16_t LaneReceiver::store(const Arrival& arrival) {
    Inbox& inbox = shared_->inbox;
    const std::size_t body = blocks_bytes(arrival.fenced, arrival.keyed) + arrival.payload_bytes;
    const std::uint16_t index = arrival.whole() ? inbox.put(arrival.stored, share_) : inbox.put_in_fragments(body, share_);
    InboxSlot& slot = inbox[index];
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

}  // namespace dunlin::link
