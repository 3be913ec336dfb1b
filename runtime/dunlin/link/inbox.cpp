#include <dunlin/core/assert.hpp>
#include <dunlin/link/inbox.hpp>

#include <algorithm>
#include <array>

namespace dunlin::link {
namespace {

using FragmentBits = std::array<std::byte, fragment_bits_bytes(kFragmentsMax* kFragmentBytes)>;

bool has_bit(std::span<const std::byte> bits, std::size_t i) { return (bits[i / 8] >> (i % 8) & std::byte{1}) != std::byte{0}; }

// May one that has `held` take `more` of what is `free`?
bool share_allows(std::size_t more, std::size_t free, std::size_t reserve, std::size_t held) {
    return free >= reserve + more && held + more <= Inbox::kShareMax * (free - reserve - more);
}

// The most that it may have in all.
std::size_t share_max(std::size_t free, std::size_t reserve, std::size_t held) {
    return free + held > reserve ? Inbox::kShareMax * (free + held - reserve) / (Inbox::kShareMax + 1) : 0;
}

std::uint16_t stated(std::size_t amount) { return static_cast<std::uint16_t>(std::clamp<std::size_t>(amount, 1, Credit::kUnlimited - 1)); }

}  // namespace

Inbox::Inbox(const InboxStorage& storage)
    : blocks_(storage.block_bytes, storage.block_links, storage.bytes_per_block),
      slots_(storage.slots),
      scratch_(storage.scratch),
      retries_(storage.retries.data()),
      message_bytes_max_(static_cast<std::uint16_t>(storage.message_bytes_max)),
      reserve_blocks_(static_cast<std::uint16_t>(blocks_.blocks_for(inbox_bytes_max(storage.message_bytes_max)))) {
    DUNLIN_ASSERT(scratch_.size() >= message_bytes_max_ + kBlocksBytesMax);
}

bool Inbox::slot_may_wait(const InboxShare& share) const { return share_allows(1, slots_.capacity() - slots_.size(), 1, share.slots); }

bool Inbox::may_wait(std::size_t stored_bytes, const InboxShare& share) const {
    return slot_may_wait(share) && share_allows(blocks_.blocks_for(stored_bytes), blocks_.free_blocks(), reserve_blocks_, share.blocks);
}

Credit Inbox::credit(const InboxShare& share) const {
    const std::size_t blocks = share_max(blocks_.free_blocks(), reserve_blocks_, share.blocks);
    // What is to be skipped takes slots as well, and the peer does not count it.
    const std::size_t messages = share_max(slots_.capacity() - slots_.size(), 1, share.slots);
    return {.messages = stated(messages - std::min<std::size_t>(messages, share.empty)),
            .units = stated(blocks * blocks_.block_bytes() / Credit::kUnitBytes)};
}

bool Inbox::has_unsettled(SubscriptionId subscription) const {
    const auto capacity = static_cast<std::uint16_t>(slots_.capacity());
    for (std::uint16_t i = 0; i < capacity; ++i) {
        if (!slots_.taken(i) || slots_[i].subscription != subscription) continue;
        const WaitState state = slots_[i].state;
        if (state == WaitState::pending || state == WaitState::retry || state == WaitState::held) return true;
    }
    return false;
}

std::uint16_t Inbox::put(std::span<const std::byte> stored, InboxShare& share) {
    const std::uint16_t chain = blocks_.store(stored);
    const std::uint16_t slot = slots_.take();
    DUNLIN_ASSERT(chain != kNoBlock && slot != kNoSlot);
    slots_[slot].chain = chain;
    ++share.slots;
    share.blocks = static_cast<std::uint16_t>(share.blocks + blocks_.blocks_for(stored.size()));
    return slot;
}

std::uint16_t Inbox::put_empty(InboxShare& share) {
    if (!slot_may_wait(share)) return kNoSlot;
    ++share.slots;
    ++share.empty;
    const std::uint16_t slot = slots_.take();
    slots_[slot].empty = true;
    return slot;
}

void Inbox::release(std::uint16_t slot, InboxShare& share) {
    release_bytes(slot, share);
    if (slots_[slot].empty) --share.empty;
    slots_.release(slot);
    --share.slots;
}

void Inbox::release_bytes(std::uint16_t slot, InboxShare& share) {
    InboxSlot& held = slots_[slot];
    if (held.chain == kNoBlock) return;
    blocks_.release(held.chain);
    held.chain = kNoBlock;
    share.blocks = static_cast<std::uint16_t>(share.blocks - blocks_.blocks_for(kept_bytes(held)));
}

std::size_t Inbox::stored_bytes(const InboxSlot& slot) { return blocks_bytes(slot.fenced, slot.keyed) + slot.payload_bytes; }

std::size_t Inbox::kept_bytes(const InboxSlot& slot) {
    const std::size_t body = stored_bytes(slot);
    return slot.in_fragments ? bytes_in_fragments(body) : body;
}

std::uint16_t Inbox::put_in_fragments(std::size_t body_bytes, InboxShare& share) {
    const std::size_t kept = bytes_in_fragments(body_bytes);
    const std::uint16_t chain = blocks_.reserve(kept);
    const std::uint16_t slot = slots_.take();
    DUNLIN_ASSERT(chain != kNoBlock && slot != kNoSlot);
    constexpr FragmentBits kNone{};
    blocks_.write(chain, 0, std::span(kNone).first(kept - body_bytes));
    slots_[slot].chain = chain;
    slots_[slot].in_fragments = true;
    slots_[slot].state = WaitState::partial;
    ++share.slots;
    share.blocks = static_cast<std::uint16_t>(share.blocks + blocks_.blocks_for(kept));
    return slot;
}

FragmentsAdded Inbox::add_fragments(std::uint16_t slot, std::size_t index, std::span<const std::byte> bytes) {
    const std::uint16_t chain = slots_[slot].chain;
    const std::size_t body = stored_bytes(slots_[slot]);
    FragmentBits kept;
    const std::span<std::byte> bits = std::span(kept).first(fragment_bits_bytes(body));
    blocks_.load(chain, 0, bits);
    bool added = false;
    const std::size_t end = index + fragments_of(bytes.size());
    for (std::size_t i = index; i < end; ++i) {
        added = added || !has_bit(bits, i);
        bits[i / 8] |= std::byte{1} << (i % 8);
    }
    if (!added) return FragmentsAdded::none;
    blocks_.write(chain, 0, bits);
    blocks_.write(chain, bits.size() + index * kFragmentBytes, bytes);
    for (std::size_t i = 0; i < fragments_of(body); ++i) {
        if (!has_bit(bits, i)) return FragmentsAdded::some;
    }
    return FragmentsAdded::last;
}

std::span<const std::byte> Inbox::stored(std::uint16_t slot) const {
    const InboxSlot& held = slots_[slot];
    const std::size_t body = stored_bytes(held);
    if (!held.in_fragments) return blocks_.view(held.chain, body, scratch_);
    blocks_.load(held.chain, fragment_bits_bytes(body), scratch_.first(body));
    return scratch_.first(body);
}

}  // namespace dunlin::link
