#include <dunlin_sim/faults/fault_schedule.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::sim {
namespace {

FaultPlan drawn(std::string_view names) {
    FaultPlan plan;
    plan.drawn = *faults_named(names);
    return plan;
}

std::vector<Fault> of_kind(const std::vector<Fault>& faults, FaultKind kind) {
    std::vector<Fault> found;
    std::ranges::copy_if(faults, std::back_inserter(found), [kind](const Fault& fault) { return fault.name.kind == kind; });
    return found;
}

bool equal(const std::vector<Fault>& one, const std::vector<Fault>& other) {
    return std::ranges::equal(one, other, [](const Fault& a, const Fault& b) {
        return a.name == b.name && a.at == b.at && a.length == b.length && a.one == b.one && a.other == b.other && a.amount == b.amount;
    });
}

TEST(FaultSchedule, is_the_same_for_the_same_seed_and_another_for_another) {
    const auto plan = drawn("all");
    EXPECT_TRUE(equal(fault_schedule(plan, 7, seconds{60}), fault_schedule(plan, 7, seconds{60})));
    EXPECT_FALSE(equal(fault_schedule(plan, 7, seconds{60}), fault_schedule(plan, 8, seconds{60})));
}

TEST(FaultSchedule, has_each_kind_in_about_half_of_all_seeds) {
    std::array<int, kFaultKindCount> worlds{};
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        const auto faults = fault_schedule(drawn("all"), seed, seconds{120});
        for (std::size_t i = 0; i < kFaultKindCount; ++i) worlds[i] += of_kind(faults, static_cast<FaultKind>(i)).empty() ? 0 : 1;
    }
    for (std::size_t i = 0; i < kFaultKindCount; ++i) EXPECT_NEAR(worlds[i], 200, 50) << info(static_cast<FaultKind>(i)).name;
}

TEST(FaultSchedule, does_not_change_a_kind_when_others_or_the_end_are_left_out) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const auto all = of_kind(fault_schedule(drawn("all"), seed, seconds{120}), FaultKind::crash);
        EXPECT_TRUE(equal(all, fault_schedule(drawn("crash"), seed, seconds{120})));
        auto first = fault_schedule(drawn("crash"), seed, seconds{60});
        EXPECT_TRUE(equal({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first.size())}, first));
    }
}

TEST(FaultSchedule, keeps_only_the_faults_that_are_named) {
    FaultPlan plan;
    plan.every[index_of(FaultKind::crash)] = seconds{5};
    const auto all = fault_schedule(plan, 1, seconds{60});
    ASSERT_GE(all.size(), 3U);
    plan.only = {{FaultKind::crash, 3}, {FaultKind::crash, 1}};
    EXPECT_TRUE(equal(fault_schedule(plan, 1, seconds{60}), {all[0], all[2]}));
    plan.only.emplace();
    EXPECT_TRUE(fault_schedule(plan, 1, seconds{60}).empty());
}

TEST(FaultSchedule, is_ordered_by_time_within_the_run) {
    const auto faults = fault_schedule(drawn("all"), 3, seconds{30});
    EXPECT_TRUE(std::ranges::is_sorted(faults, {}, &Fault::at));
    for (const Fault& fault : faults) EXPECT_LT(fault.at, Instant{seconds{30}});
}

TEST(FaultName, reads_what_it_writes_and_nothing_else) {
    EXPECT_EQ(fault_name(to_string(FaultName{FaultKind::rot_middle, 12})), (FaultName{FaultKind::rot_middle, 12}));
    for (const char* wrong : {"", "crash", "crash.", "crash.0", "crash.1x", "crush.1", ".1"}) EXPECT_FALSE(fault_name(wrong)) << wrong;
}

TEST(FaultKinds, are_named_one_by_one_by_group_or_all) {
    EXPECT_EQ(faults_named("none")->count(), 0U);
    EXPECT_TRUE(faults_named("all")->all());
    EXPECT_EQ(faults_named("crash")->count(), 1U);
    const auto groups = {"network", "process", "clock", "disk", "operator"};
    FaultSet together;
    for (const char* group : groups) together |= *faults_named(group);
    EXPECT_TRUE(together.all());
    EXPECT_FALSE(faults_named("disks"));
    EXPECT_NE(fault_names().find("; disk: lost_write, torn_write"), std::string::npos);
}

}  // namespace
}  // namespace dunlin::sim
