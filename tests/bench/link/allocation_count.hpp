#pragma once

#include <cstdint>

namespace link_bench {

// Calls of malloc and its kin in this process so far, by anybody in it: the programs of this folder replace the C library's.
[[nodiscard]] std::uint64_t allocation_count();

}  // namespace link_bench
