#pragma once

#include <dunlin_sim/run/run.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dunlin::sim {

// Worlds of many seeds, otherwise alike.
struct CampaignPlan {
    RunPlan run{};  // its seed is not used
    std::uint64_t first_seed = 1;
    std::uint64_t last_seed = 1;
    bool draw_workload = false;                      // another workload for each seed, in place of that of `run`
    std::vector<void (*)(WorkloadPlan&)> without{};  // what is then taken away from it
    std::uint32_t repeat_percent = 10;               // so many of the worlds run twice, and must come to the same hash
    unsigned jobs = 1;                               // threads, one world each at a time
};

struct CampaignReport {
    RunReport total{};              // everything summed; hash: of the worlds' hashes in the order of their seeds
    std::vector<RunReport> failed;  // at most a few, lowest seeds first
    std::uint64_t worlds = 0;
    std::uint64_t worlds_failed = 0;
    std::uint64_t repeated = 0;
    Duration healed_in_max{};
    double cpu_seconds = 0;                 // of the whole process
    FaultCounts fault_worlds{};             // by FaultKind: worlds in which it happened
    MarkCounts mark_worlds{};               // by mark: worlds that hit it
    std::vector<std::string> shortfalls{};  // see coverage.hpp
    [[nodiscard]] bool ok() const { return worlds_failed == 0 && shortfalls.empty(); }
};

// The plan of one world of the campaign.
[[nodiscard]] RunPlan plan_of(const CampaignPlan& plan, std::uint64_t seed);

// Runs them all; stops early after a few failures.
[[nodiscard]] CampaignReport run(const CampaignPlan& plan);

// The seed of the world that this thread is running; 0: none.
[[nodiscard]] std::uint64_t seed_running();

}  // namespace dunlin::sim
