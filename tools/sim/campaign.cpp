#include "campaign.hpp"

#include "coverage.hpp"

#include <algorithm>
#include <ctime>
#include <mutex>
#include <thread>

namespace dunlin::sim {
namespace {

constexpr std::size_t kFailuresMax = 5;

thread_local std::uint64_t running = 0;

template <class Counts>
void add_all(Counts& total, const Counts& counts) {
    // Plain structs of 64-bit counts.
    static_assert(sizeof(Counts) % sizeof(std::uint64_t) == 0 && std::is_trivially_copyable_v<Counts>);
    auto* const sums = reinterpret_cast<std::uint64_t*>(&total);
    const auto* const values = reinterpret_cast<const std::uint64_t*>(&counts);
    for (std::size_t i = 0; i < sizeof(Counts) / sizeof(std::uint64_t); ++i) sums[i] += values[i];
}

void add_checks(std::vector<Verdict::Tally>& total, const std::vector<Verdict::Tally>& checks) {
    if (total.empty()) {
        total = checks;
        return;
    }
    for (std::size_t i = 0; i < checks.size(); ++i) total[i].checks += checks[i].checks;
}

void add(RunReport& total, const RunReport& one) {
    total.time += one.time;
    total.events += one.events;
    add_all(total.network, one.network);
    add_all(total.faults, one.faults);
    add_all(total.workload, one.workload);
    add_all(total.outcomes, one.outcomes);
    add_all(total.counters, one.counters);
    add_all(total.marks, one.marks);
    add_checks(total.checks, one.checks);
    total.publishes += one.publishes;
    total.deliveries += one.deliveries;
    total.repeats += one.repeats;
    total.leaders += one.leaders;
    total.lease_grants += one.lease_grants;
    total.puts += one.puts;
    total.gets += one.gets;
    total.calls_unanswered += one.calls_unanswered;
    total.shared_puts += one.shared_puts;
    total.shared_gets += one.shared_gets;
    total.puts_evicted += one.puts_evicted;
    total.syncs += one.syncs;
    total.node_time += one.node_time;
}

// What the threads share.
class Campaign {
  public:
    explicit Campaign(const CampaignPlan& plan) : plan_(plan), next_(plan.first_seed), hashes_(plan.last_seed - plan.first_seed + 1) {}

    CampaignReport go() {
        const std::clock_t start = std::clock();
        std::vector<std::thread> threads;
        for (unsigned i = 1; i < std::max(1U, plan_.jobs); ++i) threads.emplace_back([this] { work(); });
        work();
        for (std::thread& thread : threads) thread.join();
        report_.cpu_seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        std::ranges::sort(report_.failed, {}, &RunReport::seed);
        for (const std::uint64_t hash : hashes_) report_.total.hash = (report_.total.hash ^ hash) * 0x9e3779b97f4a7c15U;
        report_.shortfalls = shortfalls(plan_, report_);
        return std::move(report_);
    }

  private:
    // The next seed, or 0 where none is left.
    std::uint64_t take() {
        const std::lock_guard guard(mutex_);
        if (next_ > plan_.last_seed || report_.failed.size() >= kFailuresMax) return 0;
        return next_++;
    }

    void work() {
        while (const std::uint64_t seed = take()) {
            running = seed;
            RunReport result = run(plan_of(plan_, seed));
            const bool again = seed % 100 < plan_.repeat_percent;
            if (again && result.violations.empty()) {
                const std::uint64_t hash = run(plan_of(plan_, seed)).hash;
                if (hash != result.hash)
                    result.violations.push_back("'the same seed gives the same run' violated: two hashes, " + std::to_string(result.hash) +
                                                " and " + std::to_string(hash));
            }
            running = 0;
            take_in(std::move(result), again);
        }
    }

    void take_in(RunReport&& result, bool again) {
        const std::lock_guard guard(mutex_);
        ++report_.worlds;
        report_.repeated += again ? 1 : 0;
        hashes_[result.seed - plan_.first_seed] = result.hash;
        report_.healed_in_max = std::max(report_.healed_in_max, result.healed_in);
        for (std::size_t i = 0; i < kFaultKindCount; ++i) report_.fault_worlds[i] += result.faults[i] != 0 ? 1 : 0;
        for (std::size_t i = 0; i < kMarkCount; ++i) report_.mark_worlds[i] += result.marks[i] != 0 ? 1 : 0;
        add(report_.total, result);
        if (result.violations.empty()) return;
        ++report_.worlds_failed;
        report_.failed.push_back(std::move(result));
    }

    const CampaignPlan& plan_;
    std::mutex mutex_;
    std::uint64_t next_;
    std::vector<std::uint64_t> hashes_;
    CampaignReport report_;
};

}  // namespace

RunPlan plan_of(const CampaignPlan& plan, std::uint64_t seed) {
    RunPlan one = plan.run;
    one.seed = seed;
    if (plan.draw_workload) one.workload = draw_workload(seed);
    for (const auto leave_out : plan.without) leave_out(one.workload);
    return one;
}

CampaignReport run(const CampaignPlan& plan) { return Campaign(plan).go(); }

std::uint64_t seed_running() { return running; }

}  // namespace dunlin::sim
