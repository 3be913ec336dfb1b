#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/faults/faults.hpp>
#include <dunlin_sim/run/marks.hpp>
#include <dunlin_sim/workload/host.hpp>
#include <dunlin_sim/workload/workload.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace dunlin::sim {

// One world from one seed, with the standard workload, all checkers, and these faults.
struct RunPlan {
    std::uint64_t seed = 1;
    // 1..kNodesMax. Three vote, five from seven on, or what WorkloadPlan adds; of the rest every other one has a journal.
    std::size_t nodes = 5;
    Duration time = seconds{60};  // with faults; then they end, and the cluster has heal_time to come to rest
    Duration heal_time = seconds{60};
    NetworkFaults network{};
    FaultPlan faults{};
    WorkloadPlan workload{};
    std::FILE* trace = nullptr;  // where the story is told as it happens
};

struct RunReport {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;
    Duration time{};       // simulated, until the end of the run
    Duration node_time{};  // the same, summed over its nodes
    std::uint64_t events = 0;
    NetworkCounts network{};
    FaultCounts faults{};           // by FaultKind
    std::vector<Fault> schedule{};  // all faults that the seed decided, those that came too late among them
    MarkCounts marks{};             // by index in marks()
    WorkloadCounts workload{};
    std::uint64_t publishes = 0;
    std::uint64_t deliveries = 0;
    std::uint64_t repeats = 0;
    std::array<std::uint64_t, 16> outcomes{};  // by Outcome
    std::uint64_t leaders = 0;
    std::uint64_t lease_grants = 0;
    std::uint64_t puts = 0;
    std::uint64_t gets = 0;
    std::uint64_t calls_unanswered = 0;
    std::uint64_t shared_puts = 0;  // answered, of the keys that all put
    std::uint64_t shared_gets = 0;
    std::uint64_t puts_evicted = 0;  // of those, ended because their session was
    std::uint64_t syncs = 0;
    Duration healed_in{};  // from the end of faults until everything was settled
    std::array<std::uint64_t, kCounterCount> counters{};
    std::vector<Verdict::Tally> checks;
    std::string invariant;  // the first that was violated; empty: none was
    std::vector<std::string> violations;
    std::vector<std::string> last_events;  // before the first violation
};

[[nodiscard]] RunReport run(const RunPlan& plan);

}  // namespace dunlin::sim
