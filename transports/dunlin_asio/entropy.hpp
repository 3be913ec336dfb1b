#pragma once

#include <cstdint>

namespace dunlin_asio {

// A random number from the kernel, never 0: for Options::instance and Options::seed.
[[nodiscard]] std::uint64_t random_nonzero_u64();

}  // namespace dunlin_asio
