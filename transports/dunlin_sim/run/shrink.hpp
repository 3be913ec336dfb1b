#pragma once

#include <dunlin_sim/run/run.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace dunlin::sim {

// Runs a plan and says which invariant was violated first; empty: none was.
using Judge = std::function<std::string(const RunPlan&)>;

// A kind of work that a workload can do without.
struct Work {
    const char* name;
    void (*leave_out)(WorkloadPlan&);
    bool (*left_out)(const WorkloadPlan&);
};
[[nodiscard]] std::span<const Work> kinds_of_work();

struct Shrunk {
    RunPlan plan{};  // faults.only names the faults that are left
    std::string invariant;
    std::size_t runs = 0;
    std::size_t faults_before = 0;
};

// Makes a plan that fails as small as it gets while the same invariant still fails: drops faults from its schedule (delta
// debugging, Zeller and Hildebrandt 2002), then nodes, then kinds of work, and cuts its length. At most `runs_max` runs.
// A plan that does not fail comes back as it was, with no invariant.
[[nodiscard]] Shrunk shrink(const RunPlan& failing, const Judge& judge, std::size_t runs_max = 400);

}  // namespace dunlin::sim
