#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::consensus {

// How many of `voters` are a majority. majority(0) is 1, which nobody reaches.
[[nodiscard]] constexpr std::size_t majority(std::size_t voters) { return voters / 2 + 1; }

// The largest value that a majority of `values`, one a voter, has reached; 0 for no values. O(n^2), n <= kVotersMax.
[[nodiscard]] std::uint64_t reached_by_majority(std::span<const std::uint64_t> values);

}  // namespace dunlin::consensus
