#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace dunlin_asio {

// Memory for one pending ASIO operation, used over and over, so that waiting allocates nothing. One operation at a time
// uses it; a second one, or one that is too large, gets its memory from the heap.
class HandlerMemory {
  public:
    HandlerMemory() = default;
    HandlerMemory(const HandlerMemory&) = delete;
    HandlerMemory& operator=(const HandlerMemory&) = delete;

    [[nodiscard]] void* allocate(std::size_t bytes) {
        if (taken_ || bytes > bytes_.size()) return ::operator new(bytes);
        taken_ = true;
        return bytes_.data();
    }
    void deallocate(void* memory) {
        if (memory == bytes_.data()) {
            taken_ = false;
        } else {
            ::operator delete(memory);
        }
    }

  private:
    alignas(std::max_align_t) std::array<std::byte, 512> bytes_;
    bool taken_ = false;
};

// The allocator that ASIO finds through a handler's get_allocator().
template <class T>
class HandlerAllocator {
  public:
    using value_type = T;
    explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
    template <class U>
    HandlerAllocator(const HandlerAllocator<U>& other) noexcept : memory_(other.memory_) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t) { memory_->deallocate(memory); }
    friend bool operator==(const HandlerAllocator& a, const HandlerAllocator& b) { return a.memory_ == b.memory_; }

  private:
    template <class>
    friend class HandlerAllocator;
    HandlerMemory* memory_;
};

}  // namespace dunlin_asio
