#pragma once

#include <cstdint>

namespace dunlin {

// Numbers that grow one by one are kept by their low halves where the whole is known to be near.

// The number with the low half `low` that is nearest to `base`: at most 2^31 below it, or 2^31 - 1 above.
[[nodiscard]] constexpr std::uint64_t widened(std::uint32_t low, std::uint64_t base) {
    const auto offset = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(base));
    return base + static_cast<std::uint64_t>(static_cast<std::int64_t>(offset));
}

// Whether the number of `low` comes before that of `other`; both are near each other.
[[nodiscard]] constexpr bool comes_before(std::uint32_t low, std::uint32_t other) { return static_cast<std::int32_t>(low - other) < 0; }

}  // namespace dunlin
