#pragma once

#include <bit>
#include <cstddef>

namespace dunlin {

// The least multiple of `kAlignment`, a power of two, that is not below `length`.
template <std::size_t kAlignment>
[[nodiscard]] constexpr std::size_t padded_to(std::size_t length) {
    static_assert(std::has_single_bit(kAlignment));
    return (length + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace dunlin
