#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin_sim/checkers/configurations.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::sim {

// Something that must happen now and then for a set of runs to prove anything, and the runtime's own counter that says that it
// did; of members, whom each node sees change at another time, what the log says. One table, in marks.cpp.
struct Mark {
    std::string_view name;
    Counter counter{};
    MemberNews news = MemberNews::none;  // instead of the counter
};
inline constexpr std::size_t kMarkCount = 72;
[[nodiscard]] std::span<const Mark, kMarkCount> marks();

// How often each was hit, in the order of marks().
using MarkCounts = std::array<std::uint64_t, kMarkCount>;
[[nodiscard]] MarkCounts marks_hit(std::span<const std::uint64_t, kCounterCount> counters, const MemberNewsCounts& members);

}  // namespace dunlin::sim
