#include <dunlin_sim/run/shrink.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

constexpr Work kWork[] = {
    {"shared_keys", [](WorkloadPlan& work) { work.shared_keys.keys = 0; },
     [](const WorkloadPlan& work) { return work.shared_keys.keys == 0; }},
    {"keys", [](WorkloadPlan& work) { work.key_every = {}; }, [](const WorkloadPlan& work) { return work.key_every == Duration{}; }},
    {"leases", [](WorkloadPlan& work) { work.contenders = 0; }, [](const WorkloadPlan& work) { return work.contenders == 0; }},
    {"publishes", [](WorkloadPlan& work) { work.publish_every = {}; },
     [](const WorkloadPlan& work) { return work.publish_every == Duration{}; }},
    {"long_messages", [](WorkloadPlan& work) { work.long_percent = 0; }, [](const WorkloadPlan& work) { return work.long_percent == 0; }},
    {"bursts", [](WorkloadPlan& work) { work.burst = 1; }, [](const WorkloadPlan& work) { return work.burst == 1; }},
    {"echoes", [](WorkloadPlan& work) { work.echo_percent = 0; }, [](const WorkloadPlan& work) { return work.echo_percent == 0; }},
    {"churn", [](WorkloadPlan& work) { work.churn_every = {}; }, [](const WorkloadPlan& work) { return work.churn_every == Duration{}; }},
    {"overlap", [](WorkloadPlan& work) { work.overlap = false; }, [](const WorkloadPlan& work) { return !work.overlap; }},
    {"verdicts", [](WorkloadPlan& work) { work.verdicts = {.reject = 0, .pending = 0, .retry = 0}; },
     [](const WorkloadPlan& work) { return work.verdicts.reject + work.verdicts.pending + work.verdicts.retry == 0; }},
    {"resends", [](WorkloadPlan& work) { work.resends.every = {}; },
     [](const WorkloadPlan& work) { return work.resends.every == Duration{}; }},
    {"lanes", [](WorkloadPlan& work) { work.lanes = false; }, [](const WorkloadPlan& work) { return !work.lanes; }},
    {"lifetimes", [](WorkloadPlan& work) { work.limited_percent = 0; }, [](const WorkloadPlan& work) { return work.limited_percent == 0; }},
};

class Shrinker {
  public:
    Shrinker(const RunPlan& failing, const Judge& judge, std::size_t runs_max) : judge_(judge), runs_max_(runs_max) {
        shrunk_.plan = failing;
        shrunk_.plan.trace = nullptr;
    }

    Shrunk go() {
        std::vector<FaultName> all;
        for (const Fault& fault : fault_schedule(shrunk_.plan.faults, shrunk_.plan.seed, shrunk_.plan.time)) all.push_back(fault.name);
        shrunk_.faults_before = all.size();
        shrunk_.invariant = judge_(shrunk_.plan);
        shrunk_.runs = 1;
        if (shrunk_.invariant.empty()) return std::move(shrunk_);
        shrunk_.plan.faults.only = std::move(all);
        drop_faults();
        drop_nodes();
        drop_work();
        cut_length();
        drop_faults();
        return std::move(shrunk_);
    }

  private:
    // Takes the smaller plan over if it fails in the same way.
    bool try_plan(const RunPlan& smaller) {
        if (shrunk_.runs >= runs_max_) return false;
        ++shrunk_.runs;
        if (judge_(smaller) != shrunk_.invariant) return false;
        shrunk_.plan = smaller;
        return true;
    }

    bool try_faults(std::vector<FaultName> fewer) {
        RunPlan smaller = shrunk_.plan;
        smaller.faults.only = std::move(fewer);
        return try_plan(smaller);
    }

    // Without each of `pieces` pieces in turn; pieces get smaller until they are single faults.
    void drop_faults() {
        std::size_t pieces = 2;
        if (!shrunk_.plan.faults.only->empty() && try_faults({})) return;
        while (!shrunk_.plan.faults.only->empty()) {
            const std::vector<FaultName> all = *shrunk_.plan.faults.only;
            pieces = std::min(pieces, all.size());
            bool dropped = false;
            for (std::size_t piece = 0; piece < pieces && !dropped; ++piece) {
                std::vector<FaultName> fewer = all;
                const auto edge = [&](std::size_t number) { return static_cast<std::ptrdiff_t>(all.size() * number / pieces); };
                fewer.erase(fewer.begin() + edge(piece), fewer.begin() + edge(piece + 1));
                dropped = try_faults(std::move(fewer));
            }
            if (dropped) {
                pieces = std::max<std::size_t>(pieces - 1, 2);
                continue;
            }
            if (pieces == all.size() || shrunk_.runs >= runs_max_) return;
            pieces *= 2;
        }
    }

    void drop_nodes() {
        while (shrunk_.plan.nodes > 1) {
            RunPlan smaller = shrunk_.plan;
            --smaller.nodes;
            if (!try_plan(smaller)) return;
        }
    }

    void drop_work() {
        for (const Work& work : kinds_of_work()) {
            RunPlan smaller = shrunk_.plan;
            work.leave_out(smaller.workload);
            if (!work.left_out(shrunk_.plan.workload)) static_cast<void>(try_plan(smaller));
        }
    }

    // To the shortest run that fails, within a tenth of a second.
    void cut_length() {
        Duration passes{};
        while (shrunk_.plan.time - passes > milliseconds{100} && shrunk_.runs < runs_max_) {
            RunPlan smaller = shrunk_.plan;
            smaller.time = passes + (shrunk_.plan.time - passes) / 2;
            smaller.time -= smaller.time % milliseconds{10};
            if (smaller.time <= passes) return;
            if (!try_plan(smaller)) passes = smaller.time;
        }
    }

    const Judge& judge_;
    std::size_t runs_max_;
    Shrunk shrunk_;
};

}  // namespace

std::span<const Work> kinds_of_work() { return kWork; }

Shrunk shrink(const RunPlan& failing, const Judge& judge, std::size_t runs_max) { return Shrinker(failing, judge, runs_max).go(); }

}  // namespace dunlin::sim
