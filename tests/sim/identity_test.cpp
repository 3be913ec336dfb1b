// Two live processes with one NodeId: the first one keeps it, and nothing else happens.
#include <sim/small_cluster.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::sim {
namespace {

class TwoOfOneId : public testing::Test {
  protected:
    // A member without a journal that claims the id of `process`, and knows one of the voters.
    std::size_t add_rival(std::size_t process) {
        const std::size_t rival = cluster.add(0, {});
        cluster.world.process(rival).setup.options.id = NodeId{static_cast<std::uint16_t>(process + 1)};
        cluster.world.process(rival).setup.seeds = {process == 0 ? 1U : 0U};
        return rival;
    }
    bool told(std::size_t process) {
        return std::ranges::count(cluster.recorder(process).events, EventKind::identity_conflict, &Event::kind) > 0;
    }
    std::uint32_t epoch(std::size_t process) { return status(process).epoch.value(); }
    StatusReport status(std::size_t process) { return cluster.world.node(process).status(cluster.world.local_now(process)); }

    SmallCluster cluster{5, 3};
};

TEST_F(TwoOfOneId, a_member_cannot_take_the_place_of_the_leader) {
    cluster.world.start_all();
    cluster.world.run_for(seconds{5});
    const std::size_t leader = cluster.leader();
    ASSERT_LT(leader, 3U);
    const Term term = status(leader).term;
    const std::size_t rival = add_rival(leader);
    cluster.world.start(rival);
    ASSERT_TRUE(cluster.world.run_until([&] { return told(rival); }, seconds{1}));
    cluster.world.run_for(seconds{20});
    EXPECT_EQ(cluster.leader(), leader);
    EXPECT_EQ(status(leader).term, term);
    EXPECT_EQ(status(rival).sessions_open, 0U);
    EXPECT_FALSE(told(leader));
}

TEST_F(TwoOfOneId, a_member_cannot_take_the_place_of_a_voter_that_is_down) {
    cluster.world.start(0);
    cluster.world.start(1);
    cluster.world.run_for(seconds{5});
    const std::size_t rival = add_rival(2);
    cluster.world.start(rival);
    ASSERT_TRUE(cluster.world.run_until([&] { return told(rival); }, seconds{1}));
    cluster.world.start(2);
    cluster.world.run_for(seconds{5});
    EXPECT_EQ(status(2).sessions_open, 2U);
    EXPECT_EQ(status(2).epoch, BootEpoch{2});
}

TEST_F(TwoOfOneId, the_second_of_two_members_stays_out_until_the_first_is_gone) {
    const std::size_t member = cluster.add(0, {});
    cluster.world.start_all();
    cluster.world.run_for(seconds{5});
    const std::size_t rival = add_rival(member);
    cluster.world.start(rival);
    cluster.world.run_for(seconds{10});
    EXPECT_TRUE(told(rival));
    EXPECT_FALSE(told(member));
    EXPECT_EQ(status(rival).sessions_open, 0U);
    EXPECT_EQ(status(member).sessions_open, 3U);
    cluster.world.crash(member);
    ASSERT_TRUE(cluster.world.run_until([&] { return status(rival).sessions_open == 3; }, seconds{10}));
}

TEST_F(TwoOfOneId, a_member_that_was_killed_comes_back_without_a_conflict_where_others_are_more_patient) {
    for (std::size_t voter = 0; voter < 3; ++voter) cluster.world.process(voter).setup.options.session_idle_timeout = seconds{12};
    const std::size_t member = cluster.add(0, {});
    cluster.world.start_all();
    cluster.world.run_for(seconds{5});
    cluster.world.crash(member);
    cluster.world.start(member);
    ASSERT_TRUE(cluster.world.run_until([&] { return status(member).sessions_open == 3; }, seconds{10}));
    EXPECT_FALSE(told(member));
}

}  // namespace
}  // namespace dunlin::sim
