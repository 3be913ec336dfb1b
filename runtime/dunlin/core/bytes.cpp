#include <dunlin/core/bytes.hpp>

namespace dunlin {

bool take_bytes(std::span<const std::byte>& bytes, void* to, std::size_t size) {
    if (bytes.size() < size) return false;
    std::memcpy(to, bytes.data(), size);
    bytes = bytes.subspan(size);
    return true;
}

}  // namespace dunlin
