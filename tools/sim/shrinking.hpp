#pragma once

#include "arguments.hpp"

namespace dunlin::sim {

// Shrinks this failing world, each run in a child process, so that an assertion of the runtime ends only that one. Prints the
// smallest that still fails and the command for it. False: it does not fail.
bool shrink_and_print(const Arguments& arguments, std::uint64_t seed);

}  // namespace dunlin::sim
