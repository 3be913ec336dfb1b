#pragma once

#include <dunlin/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

inline constexpr std::uint16_t kNoSlot = 0xffff;

// Hands out the slots of an array that somebody else owns. T needs two public members that the pool uses:
// `std::uint16_t next` (free list; the owner may use it for its own list while the slot is taken) and `bool taken`.
// At most 65,534 slots. take() and release() are O(1); take() returns kNoSlot when none is free.
template <class T>
class SlotPool {
  public:
    SlotPool() = default;
    explicit SlotPool(std::span<T> slots) : slots_(slots) {
        DUNLIN_ASSERT(slots.size() < kNoSlot);
        clear();
    }

    // Frees every slot.
    void clear() {
        free_head_ = kNoSlot;
        taken_count_ = 0;
        for (std::size_t i = slots_.size(); i-- > 0;) {
            slots_[i].taken = false;
            slots_[i].next = free_head_;
            free_head_ = static_cast<std::uint16_t>(i);
        }
    }

    // A slot with T{} in it, taken.
    [[nodiscard]] std::uint16_t take() {
        const std::uint16_t index = free_head_;
        if (index == kNoSlot) return kNoSlot;
        free_head_ = slots_[index].next;
        slots_[index] = T{};
        slots_[index].taken = true;
        slots_[index].next = kNoSlot;
        ++taken_count_;
        return index;
    }
    void release(std::uint16_t index) {
        DUNLIN_ASSERT(index < slots_.size() && slots_[index].taken);
        slots_[index].taken = false;
        slots_[index].next = free_head_;
        free_head_ = index;
        --taken_count_;
    }

    [[nodiscard]] T& operator[](std::uint16_t index) {
        DUNLIN_ASSERT(index < slots_.size() && slots_[index].taken);
        return slots_[index];
    }
    [[nodiscard]] const T& operator[](std::uint16_t index) const {
        DUNLIN_ASSERT(index < slots_.size() && slots_[index].taken);
        return slots_[index];
    }
    [[nodiscard]] bool taken(std::uint16_t index) const { return index < slots_.size() && slots_[index].taken; }
    [[nodiscard]] std::size_t capacity() const { return slots_.size(); }
    [[nodiscard]] std::size_t size() const { return taken_count_; }
    [[nodiscard]] bool full() const { return free_head_ == kNoSlot; }

  private:
    std::span<T> slots_{};
    std::uint16_t free_head_ = kNoSlot;
    std::uint16_t taken_count_ = 0;
};

}  // namespace dunlin
