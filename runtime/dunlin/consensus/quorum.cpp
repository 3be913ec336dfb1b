#include <dunlin/consensus/quorum.hpp>

namespace dunlin::consensus {

std::uint64_t reached_by_majority(std::span<const std::uint64_t> values) {
    std::uint64_t best = 0;
    for (const std::uint64_t candidate : values) {
        std::size_t reached = 0;
        for (const std::uint64_t value : values) reached += value >= candidate ? 1 : 0;
        if (reached >= majority(values.size()) && candidate > best) best = candidate;
    }
    return best;
}

}  // namespace dunlin::consensus
