#pragma once

#include <dunlin/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

// A first-in first-out queue over storage that somebody else owns. Invariant: size() <= capacity().
// At most 65,535 entries. Every operation is O(1). When full, push() returns false and changes nothing.
template <class T>
class Ring {
  public:
    constexpr Ring() = default;
    constexpr explicit Ring(std::span<T> storage) : storage_(storage.data()), capacity_(static_cast<std::uint16_t>(storage.size())) {
        DUNLIN_ASSERT(storage.size() <= 0xffff);
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr std::size_t capacity() const { return capacity_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool full() const { return size_ == capacity_; }

    [[nodiscard]] constexpr bool push(const T& value) {
        if (full()) return false;
        storage_[wrap(head_ + size_)] = value;
        ++size_;
        return true;
    }
    constexpr void pop() {
        DUNLIN_ASSERT(!empty());
        head_ = static_cast<std::uint16_t>(wrap(head_ + 1U));
        --size_;
    }
    constexpr void pop_back() {
        DUNLIN_ASSERT(!empty());
        --size_;
    }
    constexpr void clear() { head_ = size_ = 0; }

    [[nodiscard]] constexpr T& operator[](std::size_t offset) {
        DUNLIN_ASSERT(offset < size_);
        return storage_[wrap(head_ + offset)];
    }
    [[nodiscard]] constexpr const T& operator[](std::size_t offset) const {
        DUNLIN_ASSERT(offset < size_);
        return storage_[wrap(head_ + offset)];
    }
    [[nodiscard]] constexpr T& front() { return (*this)[0]; }
    [[nodiscard]] constexpr const T& front() const { return (*this)[0]; }
    [[nodiscard]] constexpr T& back() { return (*this)[size_ - 1]; }
    [[nodiscard]] constexpr const T& back() const { return (*this)[size_ - 1]; }

  private:
    [[nodiscard]] constexpr std::size_t wrap(std::size_t position) const { return position >= capacity_ ? position - capacity_ : position; }
    T* storage_ = nullptr;
    std::uint16_t capacity_ = 0;
    std::uint16_t head_ = 0;
    std::uint16_t size_ = 0;
};

}  // namespace dunlin
