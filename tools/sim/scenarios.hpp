#pragma once

#include <string>
#include <vector>

namespace dunlin::sim {

// Plays each file, and prints a line for each. 0: all went as told; 1: some did not.
[[nodiscard]] int play_scenarios(const std::vector<std::string>& files, bool trace);

}  // namespace dunlin::sim
