#include <dunlin/core/assert.hpp>
#include <dunlin/link/inbox.hpp>

namespace dunlin::link {
namespace {

// May one that has `held` take `more` of what is `free`?
bool share_allows(std::size_t more, std::size_t free, std::size_t reserve, std::size_t held) {
    return free >= reserve + more && held + more <= Inbox::kShareMax * (free - reserve - more);
}

}  // namespace

Inbox::Inbox(const InboxStorage& storage)
    : blocks_(storage.block_bytes, storage.block_links, storage.bytes_per_block),
      slots_(storage.slots),
      scratch_(storage.scratch),
      retries_(storage.retries.data()),
      message_bytes_max_(storage.message_bytes_max) {
    DUNLIN_ASSERT(scratch_.size() >= message_bytes_max_ + kBlocksBytesMax);
}

bool Inbox::slot_may_wait(const InboxShare& share) const { return share_allows(1, slots_.capacity() - slots_.size(), 1, share.slots); }

bool Inbox::may_wait(std::size_t stored_bytes, const InboxShare& share) const {
    const std::size_t reserve = blocks_.blocks_for(message_bytes_max_ + kBlocksBytesMax);
    return slot_may_wait(share) && share_allows(blocks_.blocks_for(stored_bytes), blocks_.free_blocks(), reserve, share.blocks);
}

bool Inbox::has_unsettled(SubscriptionId subscription) const {
    const auto capacity = static_cast<std::uint16_t>(slots_.capacity());
    for (std::uint16_t i = 0; i < capacity; ++i) {
        if (!slots_.taken(i) || slots_[i].subscription != subscription) continue;
        if (slots_[i].state != WaitState::waiting && slots_[i].state != WaitState::decided) return true;
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
    return slots_.take();
}

void Inbox::release(std::uint16_t slot, InboxShare& share) {
    release_bytes(slot, share);
    slots_.release(slot);
    --share.slots;
}

void Inbox::release_bytes(std::uint16_t slot, InboxShare& share) {
    InboxSlot& held = slots_[slot];
    if (held.chain == kNoBlock) return;
    blocks_.release(held.chain);
    held.chain = kNoBlock;
    share.blocks = static_cast<std::uint16_t>(share.blocks - blocks_.blocks_for(stored_bytes(held)));
}

std::size_t Inbox::stored_bytes(const InboxSlot& slot) const { return blocks_bytes(slot.fenced, slot.keyed) + slot.payload_bytes; }

std::span<const std::byte> Inbox::stored(std::uint16_t slot) const {
    const InboxSlot& held = slots_[slot];
    return blocks_.view(held.chain, stored_bytes(held), scratch_);
}

}  // namespace dunlin::link
