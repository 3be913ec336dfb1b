#include "allocation_count.hpp"

#include <atomic>
#include <cstddef>

// The C library's own, by the names under which it keeps them for replacements.
extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void* __libc_calloc(std::size_t count, std::size_t bytes);
extern "C" void* __libc_realloc(void* memory, std::size_t bytes);

namespace {
std::atomic<std::uint64_t> count{0};
}  // namespace

extern "C" void* malloc(std::size_t bytes) {
    count.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(bytes);
}
extern "C" void* calloc(std::size_t each, std::size_t bytes) {
    count.fetch_add(1, std::memory_order_relaxed);
    return __libc_calloc(each, bytes);
}
extern "C" void* realloc(void* memory, std::size_t bytes) {
    count.fetch_add(1, std::memory_order_relaxed);
    return __libc_realloc(memory, bytes);
}

namespace link_bench {

std::uint64_t allocation_count() { return count.load(std::memory_order_relaxed); }

}  // namespace link_bench
