#include <dunlin/bus/key_table.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/core/division.hpp>

#include <algorithm>

namespace dunlin::bus {
namespace {

constexpr std::uint32_t kClockRateBoundMaxPpm = 100'000;  // of any node: see validate()
constexpr std::uint32_t kRoundingPpm = 32;                // a remaining lifetime travels rounded down to 15 bits or to 1 ms

}  // namespace

Instant key_end(Instant expires, std::uint32_t lifetime_ms, const KeyTimes& times) {
    // lifetime * ((1 + r_here) / (1 - r_there) - 1), r_there at its largest: 1 - r_there is 900/1000.
    const std::uint64_t ppm = kClockRateBoundMaxPpm + kRoundingPpm + times.clock_rate_bound_ppm;
    const auto drift_us = static_cast<std::int64_t>(divide(lifetime_ms * ppm, 900).quotient);
    const milliseconds age{times.packet_age_max_ms + times.packet_age_max_ms / 8};
    return saturating_add(expires, milliseconds{1} + age + from_us(drift_us));
}

KeyTable::KeyTable(const KeyStorage& storage, const KeyTimes& times, bool journalled)
    : entries_(storage.entries), buckets_(storage.buckets), times_(&times), journalled_(journalled) {
    DUNLIN_ASSERT(entries_.size() < kNoSlot && buckets_.size() == entries_.size());
    std::ranges::fill(buckets_, kNoSlot);
    for (std::size_t i = entries_.size(); i-- > 0;) {
        entries_[i] = KeyEntry{.next = free_};
        free_ = static_cast<std::uint16_t>(i);
    }
}

// ---- the table ------------------------------------------------------------------------------------------------------

// As HashMap: Fibonacci hashing, scaled without a division.
std::uint16_t& KeyTable::bucket(const IdempotencyKey& key, SubscriptionId subscription) {
    const std::uint64_t mixed = ((key.high ^ (key.low * 3) ^ subscription.value()) * 0x9e3779b97f4a7c15U) >> 32U;
    return buckets_[static_cast<std::size_t>((mixed * buckets_.size()) >> 32U)];
}

std::uint16_t KeyTable::find(const IdempotencyKey& key, SubscriptionId subscription) {
    if (entries_.empty()) return kNoSlot;
    std::uint16_t index = bucket(key, subscription);
    while (index != kNoSlot && (entries_[index].key != key || entries_[index].subscription != subscription)) index = entries_[index].next;
    return index;
}

// In a free place.
void KeyTable::place(std::uint16_t index, const KeyEntry& entry) {
    std::uint16_t* link = &free_;
    while (*link != index) link = &entries_[*link].next;
    *link = entries_[index].next;
    std::uint16_t& head = bucket(entry.key, entry.subscription);
    entries_[index] = entry;
    entries_[index].next = head;
    head = index;
    earliest_end_ = earlier(earliest_end_, entry.until);
}

void KeyTable::remove(std::uint16_t index) {
    KeyEntry& entry = entries_[index];
    std::uint16_t* link = &bucket(entry.key, entry.subscription);
    while (*link != index) link = &entries_[*link].next;
    *link = entry.next;
    if (entry.unstored) --unstored_;
    if (entry.state == KeyState::pending) --pending_;
    entry = KeyEntry{.next = free_};
    free_ = index;
    released_ = true;
}

// Removes what has run out.
void KeyTable::sweep(Instant now) {
    earliest_end_ = kNever;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const KeyEntry& entry = entries_[i];
        if (entry.state > KeyState::running && entry.until <= now) remove(static_cast<std::uint16_t>(i));
        if (entry.state != KeyState::free) earliest_end_ = earlier(earliest_end_, entry.until);
    }
}

void KeyTable::mark_unstored(KeyEntry& entry) {
    const bool settled = entry.state == KeyState::accepted || entry.state == KeyState::rejected;
    if (!settled || !journalled_ || !is_durable(entry.subscription) || entry.unstored) return;
    entry.unstored = true;
    ++unstored_;
}

// ---- messages -------------------------------------------------------------------------------------------------------

KeyTable::Answer KeyTable::ask(const link::InboundMessage& message) {
    const link::MessageBlocks& blocks = message.blocks;
    if (entries_.empty() || blocks.key_lifetime_ms > times_->lifetime_max_ms) return {.disposition = link::Disposition::rejected};
    if (frozen_) return hold(Wait::room);
    if (earliest_end_ <= message.now) sweep(message.now);
    const Instant until = key_end(message.expires, blocks.key_lifetime_ms, *times_);
    const std::uint16_t known = find(blocks.key, message.subscription);
    if (known != kNoSlot) return repeat(entries_[known], until);
    // Without room the handler does not run: a key that was forgotten would let it run again.
    if (free_ == kNoSlot) return hold(Wait::room);
    const std::uint16_t index = free_;
    place(index, KeyEntry{.key = blocks.key,
                          .until = until,
                          .subscription = message.subscription,
                          .sequence_low = static_cast<std::uint32_t>(message.sequence.value()),
                          .peer = message.peer,
                          .stream_tag = message.stream_tag,
                          .state = KeyState::running,
                          .lane = message.lane});
    return {.entry = index};
}

// Whatever is remembered of a key, it is for this copy as well.
KeyTable::Answer KeyTable::repeat(KeyEntry& entry, Instant until) {
    if (until > entry.until) {
        entry.until = until;
        mark_unstored(entry);
    }
    if (entry.state == KeyState::accepted) return {.disposition = link::Disposition::accepted_before};
    if (entry.state == KeyState::rejected) return {.disposition = link::Disposition::rejected_before};
    return hold(Wait::first);
}

KeyTable::Answer KeyTable::hold(Wait wait) {
    if (!waiting_) released_ = false;
    waiting_ = true;
    return {.disposition = link::Disposition::held, .wait = wait};
}

void KeyTable::ended(std::uint16_t index, link::Disposition disposition) {
    KeyEntry& entry = entries_[index];
    if (disposition == link::Disposition::pending) {
        if (entry.state == KeyState::running) ++pending_;
        entry.state = KeyState::pending;
        return;
    }
    const bool accepted = disposition == link::Disposition::accepted;
    if (!accepted && disposition != link::Disposition::rejected) return remove(index);
    if (entry.state == KeyState::pending) --pending_;
    entry.state = accepted ? KeyState::accepted : KeyState::rejected;
    released_ = true;
    mark_unstored(entry);
}

void KeyTable::completed(const CompletionId& completion, link::Disposition disposition) {
    if (pending_ == 0) return;
    const auto sequence_low = static_cast<std::uint32_t>(completion.sequence.value());
    const auto is_it = [&](const KeyEntry& entry) {
        return entry.state == KeyState::pending && entry.subscription == completion.subscription && entry.peer == completion.peer &&
               entry.stream_tag == completion.stream_tag && entry.lane == completion.lane && entry.sequence_low == sequence_low;
    };
    const auto entry = std::ranges::find_if(entries_, is_it);
    if (entry != entries_.end()) ended(static_cast<std::uint16_t>(entry - entries_.begin()), disposition);
}

bool KeyTable::take_released() {
    if (!waiting_ || !released_) return false;
    waiting_ = released_ = false;
    return true;
}

void KeyTable::on_timeout(Instant now) {
    if (next_deadline() <= now) sweep(now);
}

// ---- life -----------------------------------------------------------------------------------------------------------

void KeyTable::start(Instant now, bool first_life) {
    const std::uint32_t longest_ms = times_->lifetime_max_ms;
    blind_until_ = first_life ? Instant::min() : key_end(now + milliseconds{longest_ms}, longest_ms, *times_);
}

Status KeyTable::replay(Instant now, std::span<const std::byte> bytes) {
    KeyRecord record{};
    if (!take_all(bytes, record) || record.remaining_us <= 0) return Status::corrupt;
    if (record.slot >= entries_.size()) return Status::table_full;
    const KeyEntry entry{.key = {record.high, record.low},
                         .until = saturating_add(now, from_us(record.remaining_us)),
                         .subscription = SubscriptionId{record.subscription},
                         .state = record.rejected != 0 ? KeyState::rejected : KeyState::accepted,
                         .unstored = true};
    const std::uint16_t known = find(entry.key, entry.subscription);
    if (known == record.slot) {
        entries_[known].until = std::max(entries_[known].until, entry.until);
        return Status::ok;
    }
    if (known != kNoSlot) remove(known);
    if (entries_[record.slot].state != KeyState::free) remove(record.slot);
    place(record.slot, entry);
    ++unstored_;
    return Status::ok;
}

void KeyTable::confirm() {
    if (unstored_ == 0) return;
    for (KeyEntry& entry : entries_) entry.unstored = false;
    unstored_ = 0;
}

void KeyTable::drop_unconfirmed() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].unstored) remove(static_cast<std::uint16_t>(i));
    }
}

Status KeyTable::store(Instant now, const EmitRecord& emit) {
    for (std::size_t i = 0; i < entries_.size() && unstored_ > 0; ++i) {
        KeyEntry& entry = entries_[i];
        if (!entry.unstored) continue;
        const KeyRecord record{.high = entry.key.high,
                               .low = entry.key.low,
                               .remaining_us = to_us(std::max(entry.until - now, Duration{1})),
                               .subscription = entry.subscription.value(),
                               .slot = static_cast<std::uint16_t>(i),
                               .rejected = static_cast<std::uint8_t>(entry.state == KeyState::rejected ? 1 : 0),
                               .reserved = 0};
        if (const Status status = emit(journal::RecordKind::explicit_key, bytes_of(record), {}); status != Status::ok) return status;
        entry.unstored = false;
        --unstored_;
    }
    return Status::ok;
}

void KeyTable::freeze() {
    frozen_ = true;
    for (KeyEntry& entry : entries_) mark_unstored(entry);
}

void KeyTable::thaw() {
    frozen_ = false;
    released_ = true;
}

}  // namespace dunlin::bus
