#include <dunlin/wire/record.hpp>

#include <cstring>

namespace dunlin::wire {

void load_bytes(std::span<const std::byte> from, void* to, std::size_t size) {
    const std::size_t known = std::min(from.size(), size);
    std::memset(to, 0, size);
    if (known > 0) std::memcpy(to, from.data(), known);
}

}  // namespace dunlin::wire
