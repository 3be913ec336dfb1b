#include <dunlin_sim/run/shrink.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::sim {
namespace {

bool has(const RunPlan& plan, const FaultName& name) {
    const auto faults = fault_schedule(plan.faults, plan.seed, plan.time);
    return std::ranges::any_of(faults, [&](const Fault& fault) { return fault.name == name; });
}

RunPlan big_plan() {
    RunPlan plan;
    plan.time = seconds{120};
    plan.faults.drawn = *faults_named("all");
    plan.faults.every[index_of(FaultKind::crash)] = seconds{5};
    plan.faults.every[index_of(FaultKind::pause)] = seconds{5};
    return plan;
}

TEST(Shrink, leaves_the_faults_nodes_work_and_time_that_the_failure_needs) {
    const FaultName crash{FaultKind::crash, 2};
    const FaultName pause{FaultKind::pause, 3};
    const Judge judge = [&](const RunPlan& plan) -> std::string {
        return has(plan, crash) && has(plan, pause) && plan.nodes >= 3 && plan.workload.contenders != 0 ? "it broke" : "";
    };
    const Shrunk shrunk = shrink(big_plan(), judge);
    EXPECT_EQ(shrunk.invariant, "it broke");
    ASSERT_EQ(shrunk.plan.faults.only->size(), 2U);
    EXPECT_TRUE(has(shrunk.plan, crash) && has(shrunk.plan, pause));
    EXPECT_GT(shrunk.faults_before, 20U);
    EXPECT_EQ(shrunk.plan.nodes, 3U);
    EXPECT_NE(shrunk.plan.workload.contenders, 0U);
    EXPECT_EQ(shrunk.plan.workload.publish_every, Duration{});
    EXPECT_LT(shrunk.plan.time, seconds{25});
}

TEST(Shrink, follows_one_failure_and_not_into_another) {
    const Judge judge = [](const RunPlan& plan) -> std::string { return has(plan, {FaultKind::crash, 1}) ? "with" : "without"; };
    const Shrunk shrunk = shrink(big_plan(), judge);
    EXPECT_EQ(shrunk.invariant, "with");
    EXPECT_EQ(*shrunk.plan.faults.only, (std::vector<FaultName>{{FaultKind::crash, 1}}));
}

TEST(Shrink, says_that_a_plan_does_not_fail) {
    const Shrunk shrunk = shrink(big_plan(), [](const RunPlan&) { return std::string(); });
    EXPECT_TRUE(shrunk.invariant.empty());
    EXPECT_EQ(shrunk.runs, 1U);
}

// A checker that finds fault with a real run: nothing heals within a microsecond, whatever else happens.
TEST(Shrink, makes_a_real_run_small) {
    RunPlan plan;
    plan.time = seconds{20};
    plan.heal_time = Duration{1};
    plan.faults.drawn = *faults_named("process");
    plan.network.loss_ppm = 300'000;
    const Judge judge = [](const RunPlan& each) { return run(each).invariant; };
    const Shrunk shrunk = shrink(plan, judge, 60);
    EXPECT_EQ(shrunk.invariant, "the cluster heals");
    EXPECT_TRUE(shrunk.plan.faults.only->empty());
    EXPECT_LT(shrunk.plan.time, plan.time);
    EXPECT_EQ(judge(shrunk.plan), shrunk.invariant);
}

}  // namespace
}  // namespace dunlin::sim
