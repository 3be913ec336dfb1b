#pragma once

#include <dunlin/consensus/consensus.hpp>
#include <dunlin/core/limits.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace dunlin::consensus {

// Everything Consensus needs beyond its own object. `image_bytes`: size of the ledger's image, ledger::image_bytes(L.ledger).
template <Limits L, std::size_t image_bytes>
struct ConsensusArrays {
    std::array<LogSlot, L.log_entries> log_slots{};
    std::array<Progress, std::min<std::size_t>(L.ledger.members, kVotersMax) + 1> peers{};
    std::array<std::byte, L.log_bytes> log_bytes{};
    std::array<std::byte, L.voter ? image_bytes : 0> staging{};

    [[nodiscard]] ConsensusStorage storage() { return {{log_slots, log_bytes}, staging, peers}; }
};

}  // namespace dunlin::consensus
