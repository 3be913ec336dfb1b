#pragma once

#include <dunlin/core/checksum.hpp>
#include <dunlin/core/ids.hpp>

#include <string_view>

namespace dunlin::ledger {

// The 64-bit name of a lease that fenced messages carry; never 0. Two names of one cluster that share a key (chance
// below 2^-43 for 1,024 leases) would fence each other's messages: safe, but not live.
[[nodiscard]] inline LeaseKey lease_key(std::string_view name) {
    const std::uint64_t hash = fnv1a64(name);
    return LeaseKey{hash == 0 ? 1 : hash};
}

}  // namespace dunlin::ledger
