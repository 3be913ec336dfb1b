#include <dunlin_sim/checkers/coordination_checker.hpp>
#include <dunlin_sim/checkers/lease_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class Coordination : public testing::Test {
  protected:
    explicit Coordination(std::size_t voters = 3) : cluster(1, voters) {
        cluster.world.start_all();
        EXPECT_TRUE(cluster.world.run_until([&] { return cluster.leader() < voters; }, seconds{10}));
    }
    void tell(std::size_t process, const Event& event) { checker.on_event(kNow, process, cluster.world.node(0), event); }
    void grant(std::size_t process, std::uint64_t token) {
        leases.on_event(kNow, process, cluster.world.node(0), event_of(EventKind::lease_held, token));
    }
    SmallCluster cluster;
    Verdict verdict;
    CoordinationChecker checker{cluster.world, verdict};
    LeaseChecker leases{cluster.world, verdict};
};

TEST_F(Coordination, catches_a_second_leader_of_a_term) {
    const auto leader = static_cast<std::uint64_t>(consensus::Role::leader);
    tell(0, event_of(EventKind::role_changed, leader, 77));
    tell(0, event_of(EventKind::role_changed, leader, 77));
    tell(1, event_of(EventKind::role_changed, leader, 78));
    EXPECT_TRUE(verdict.clean());
    tell(2, event_of(EventKind::role_changed, leader, 77));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'one leader a term' violated at 1000000 us: term 77 has two leaders")));
}

TEST_F(Coordination, catches_voters_that_differ_at_one_index) {
    SmallCluster other(2, 3);
    other.world.start_all();
    const auto applied = [](SmallCluster& each) { return each.world.node(0).status(each.world.local_now(0)).applied; };
    ASSERT_TRUE(other.world.run_until([&] { return applied(other) >= LogIndex{2}; }, seconds{10}));
    ASSERT_TRUE(cluster.world.run_until([&] { return applied(cluster) >= LogIndex{2}; }, seconds{10}));
    ASSERT_EQ(applied(cluster), applied(other));
    checker.on_step(kNow, 0, cluster.world.node(0));
    EXPECT_TRUE(verdict.clean());
    checker.on_step(kNow, 1, other.world.node(0));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'equal state at equal index' violated")));
}

TEST_F(Coordination, catches_a_commit_that_goes_back) {
    SmallCluster young(2, 3);
    young.world.start_all();
    const auto applied = [](SmallCluster& each) { return each.world.node(0).status(each.world.local_now(0)).applied; };
    ASSERT_TRUE(young.world.run_until([&] { return applied(young) >= LogIndex{1}; }, seconds{10}));
    ASSERT_TRUE(cluster.world.node(0).put(cluster.world.local_now(0), "key", bytes_of("value")).ok());
    cluster.world.touch(0);
    ASSERT_TRUE(cluster.world.run_until([&] { return applied(cluster) > applied(young); }, seconds{10}));
    ASSERT_TRUE(verdict.clean());
    checker.on_step(kNow, 0, young.world.node(0));
    ASSERT_FALSE(verdict.clean());
    EXPECT_THAT(verdict.violations()[0], StartsWith("'commit never goes back' violated"));
}

TEST_F(Coordination, catches_two_valid_holders_of_a_lease) {
    const auto hold = [&](std::size_t process, std::string_view name) {
        const auto lease = cluster.world.node(process).acquire_lease(cluster.world.local_now(process), name, seconds{5});
        EXPECT_TRUE(lease.ok());
        cluster.world.touch(process);
        EXPECT_TRUE(cluster.world.run_until(
            [&] { return cluster.world.node(process).lease(lease.value()).valid_for(cluster.world.local_now(process), Duration{0}); },
            seconds{10}));
        return lease.value();
    };
    const auto first = hold(0, "valve");
    const auto second = hold(1, "pump");
    leases.wants_lease(0, "valve", first);
    cluster.world.run_for(seconds{3});
    EXPECT_TRUE(verdict.clean());
    leases.wants_lease(1, "valve", second);  // as if this were the same lease
    cluster.world.run_for(seconds{3});
    ASSERT_FALSE(verdict.clean());
    EXPECT_THAT(verdict.violations()[0], StartsWith("'one valid holder a lease' violated"));
}

TEST_F(Coordination, catches_a_token_that_does_not_grow) {
    leases.wants_lease(0, "valve", {0, 1});
    leases.wants_lease(1, "valve", {0, 1});
    grant(0, 50);
    grant(0, 50);  // out of jeopardy
    grant(1, 51);
    EXPECT_TRUE(verdict.clean());
    grant(0, 50);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'tokens only grow' violated")));
}

TEST_F(Coordination, catches_a_node_that_stops) {
    tell(0, event_of(EventKind::failed, 0));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'no node stops by itself' violated")));
}

TEST_F(Coordination, lets_a_node_stop_that_is_told_to_before_it_is_ready) {
    cluster.world.crash(0);
    cluster.world.restart(0);
    cluster.world.shut_down(0, seconds{1});
    EXPECT_FALSE(cluster.world.running(0));
    EXPECT_TRUE(verdict.clean());
    cluster.world.restart(0);
    Event stopped = event_of(EventKind::failed, 0);
    stopped.status = Status::shutting_down;
    tell(0, stopped);
    EXPECT_FALSE(verdict.clean());
}

}  // namespace
}  // namespace dunlin::sim
