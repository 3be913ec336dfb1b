#include <dunlin/wire/record.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::wire {

void load_bytes(std::span<const std::byte> from, void* to, std::size_t size) {
    const std::size_t known = std::min(from.size(), size);
    if (known > 0) std::memcpy(to, from.data(), known);
    if (known < size) std::memset(static_cast<std::byte*>(to) + known, 0, size - known);
}

}  // namespace dunlin::wire
