#include <dunlin_sim/run/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(Run, catches_a_cluster_that_has_not_healed_in_its_time) {
    RunPlan plan;
    plan.time = seconds{5};
    plan.network.loss_ppm = 500'000;
    plan.heal_time = Duration{1};
    const RunReport report = run(plan);
    EXPECT_THAT(report.violations, ElementsAre(StartsWith("'the cluster heals' violated")));
    EXPECT_FALSE(report.last_events.empty());
}

TEST(Run, gives_every_checker_that_always_has_occasion_something_to_check) {
    RunPlan plan;
    plan.time = seconds{20};
    plan.network.loss_ppm = 50'000;
    plan.faults.every[index_of(FaultKind::leader_crash)] = seconds{8};
    const RunReport report = run(plan);
    EXPECT_THAT(report.violations, ElementsAre());
    for (const Verdict::Tally& tally : report.checks) {
        EXPECT_TRUE(tally.checks > 0 || tally.occasion == Verdict::Occasion::rare) << tally.name;
    }
    EXPECT_EQ(run(plan).hash, report.hash);
}

}  // namespace
}  // namespace dunlin::sim
