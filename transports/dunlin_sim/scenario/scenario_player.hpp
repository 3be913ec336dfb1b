#pragma once

#include <dunlin_sim/scenario/scenario.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace dunlin::sim {

struct ScenarioReport {
    Duration time{};                         // simulated
    std::uint64_t checks = 0;                // of all invariants together
    std::string failure{};                   // "file:line: step: what was seen instead"; empty: all went as told
    std::vector<std::string> last_events{};  // before the failure
};

// Plays the story in a world of its own, from the scenario's seed; every checker watches. Ends at the first step that fails,
// or during which something is violated. `trace`: where the events are told as they happen; null: nowhere.
[[nodiscard]] ScenarioReport play(const Scenario& scenario, std::FILE* trace = nullptr);

}  // namespace dunlin::sim
