#include <dunlin/core/assert.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/wire/record.hpp>

namespace dunlin::link {

Inbox::Inbox(const InboxStorage& storage)
    : blocks_(storage.block_bytes, storage.block_links, storage.bytes_per_block),
      slots_(storage.slots),
      scratch_(storage.scratch),
      message_bytes_max_(storage.message_bytes_max) {
    DUNLIN_ASSERT(scratch_.size() >= message_bytes_max_ + sizeof(wire::FenceBlock));
}

bool Inbox::fits(std::size_t stored_bytes, bool in_order) const {
    if (in_order) return !slots_.full() && blocks_.fits(stored_bytes);
    const std::size_t reserve = blocks_.blocks_for(message_bytes_max_ + sizeof(wire::FenceBlock));
    const std::size_t free = blocks_.free_blocks();
    return slots_.size() + 1 < slots_.capacity() && free >= reserve && free - reserve >= blocks_.blocks_for(stored_bytes);
}

std::uint16_t Inbox::put(std::span<const std::byte> stored) {
    const std::uint16_t chain = blocks_.store(stored);
    const std::uint16_t slot = slots_.take();
    DUNLIN_ASSERT(chain != kNoBlock && slot != kNoSlot);
    slots_[slot].chain = chain;
    return slot;
}

std::uint16_t Inbox::put_empty(bool in_order) {
    if (!in_order && slots_.size() + 1 >= slots_.capacity()) return kNoSlot;
    return slots_.take();
}

void Inbox::release(std::uint16_t slot) {
    release_bytes(slot);
    slots_.release(slot);
}

void Inbox::release_bytes(std::uint16_t slot) {
    InboxSlot& held = slots_[slot];
    if (held.chain != kNoBlock) blocks_.release(held.chain);
    held.chain = kNoBlock;
}

std::span<const std::byte> Inbox::stored(std::uint16_t slot) const {
    const InboxSlot& held = slots_[slot];
    const std::size_t bytes = held.payload_bytes + (held.fenced ? sizeof(wire::FenceBlock) : 0);
    return blocks_.view(held.chain, bytes, scratch_);
}

}  // namespace dunlin::link
