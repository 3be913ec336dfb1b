#pragma once

#include <cstdint>

namespace dunlin::ledger {

// CommandReply::detail of a granted acquire.
struct AcquireDetail {
    std::uint16_t slot = 0;
    std::uint32_t voter_rate_ppm = 0;
    [[nodiscard]] static constexpr AcquireDetail from(std::uint64_t detail) {
        return {static_cast<std::uint16_t>(detail), static_cast<std::uint32_t>(detail >> 32)};
    }
    [[nodiscard]] constexpr std::uint64_t packed() const { return std::uint64_t{voter_rate_ppm} << 32 | slot; }
};

}  // namespace dunlin::ledger
