#pragma once

#include <dunlin/core/assert.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>

namespace dunlin {

inline constexpr std::uint16_t kNoSlot = 0xffff;

// Memory for the slots of a pool, left as it is: on a host, pages whose slots were never needed are then never resident.
template <class T, std::size_t kCount>
class SlotArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  public:
    [[nodiscard]] std::span<T> slots() { return {std::launder(reinterpret_cast<T*>(bytes_.data())), kCount}; }

  private:
    alignas(T) std::array<std::byte, kCount * sizeof(T)> bytes_;
};

// Hands out the slots of an array that somebody else owns, and never touches one that was not taken yet. T needs two public
// members that the pool uses: `std::uint16_t next` (free list; the owner may use it for its own list while the slot is taken) and
// `bool taken`. At most 65,534 slots. All calls are O(1); take() returns kNoSlot when none is free.
template <class T>
class SlotPool {
  public:
    SlotPool() = default;
    explicit SlotPool(std::span<T> slots) : slots_(slots.data()), capacity_(static_cast<std::uint16_t>(slots.size())) {
        DUNLIN_ASSERT(slots.size() < kNoSlot);
    }

    // Frees every slot.
    void clear() {
        free_head_ = kNoSlot;
        taken_count_ = untouched_ = 0;
    }

    // A slot with T{} in it, taken.
    [[nodiscard]] std::uint16_t take() {
        if (full()) return kNoSlot;
        std::uint16_t index = free_head_;
        if (index == kNoSlot) {
            index = untouched_++;
        } else {
            free_head_ = slots_[index].next;
        }
        slots_[index] = T{};
        slots_[index].taken = true;
        slots_[index].next = kNoSlot;
        ++taken_count_;
        return index;
    }
    void release(std::uint16_t index) {
        DUNLIN_ASSERT(taken(index));
        slots_[index].taken = false;
        slots_[index].next = free_head_;
        free_head_ = index;
        --taken_count_;
    }

    [[nodiscard]] T& operator[](std::uint16_t index) {
        DUNLIN_ASSERT(taken(index));
        return slots_[index];
    }
    [[nodiscard]] const T& operator[](std::uint16_t index) const {
        DUNLIN_ASSERT(taken(index));
        return slots_[index];
    }
    [[nodiscard]] bool taken(std::uint16_t index) const { return index < untouched_ && slots_[index].taken; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t size() const { return taken_count_; }
    [[nodiscard]] bool full() const { return taken_count_ == capacity_; }

  private:
    T* slots_ = nullptr;
    std::uint16_t capacity_ = 0;
    std::uint16_t untouched_ = 0;  // from here on no slot was taken yet
    std::uint16_t free_head_ = kNoSlot;
    std::uint16_t taken_count_ = 0;
};

}  // namespace dunlin
