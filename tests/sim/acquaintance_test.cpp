// The checkers of who knows whom, and how well.
#include <dunlin_sim/checkers/audience_checker.hpp>
#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/peer_health_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(Selects, goes_level_by_level) {
    EXPECT_TRUE(selects("a/b", "a/b"));
    EXPECT_FALSE(selects("a/b", "a/bc"));
    EXPECT_FALSE(selects("a/b", "a"));
    EXPECT_TRUE(selects("a/+", "a/b"));
    EXPECT_FALSE(selects("a/+", "a/b/c"));
    EXPECT_FALSE(selects("a/+", "a"));
    EXPECT_TRUE(selects("+/b", "a/b"));
    EXPECT_TRUE(selects("a/#", "a"));
    EXPECT_TRUE(selects("a/#", "a/b/c"));
    EXPECT_FALSE(selects("a/#", "ab"));
    EXPECT_TRUE(selects("#", "a/b"));
}

class Acquaintance : public testing::Test {
  protected:
    Acquaintance() { cluster.world.start_all(); }
    SmallCluster cluster{1, 3};
    Verdict verdict;
};

TEST_F(Acquaintance, catches_a_subscription_that_is_not_known) {
    AudienceChecker checker{cluster.world, verdict};
    cluster.world.run_for(seconds{3});
    EXPECT_TRUE(checker.right());
    checker.subscribed(0, SubscriptionId{5}, "nobody/told/+");
    EXPECT_FALSE(checker.right());
    checker.finish(kNow);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'everybody knows who listens' violated")));
}

TEST_F(Acquaintance, catches_a_death_without_a_suspicion) {
    PeerHealthChecker checker{cluster.world, verdict};
    cluster.world.run_for(seconds{3});
    Event event;
    event.node = NodeId{2};
    for (const EventKind kind : {EventKind::peer_alive, EventKind::peer_suspect, EventKind::peer_dead}) {
        event.kind = kind;
        checker.on_event(cluster.world.now(), 0, cluster.world.node(0), event);
    }
    EXPECT_TRUE(verdict.clean());
    checker.on_event(cluster.world.now(), 0, cluster.world.node(0), event);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'suspected before dead' violated")));
}

TEST_F(Acquaintance, catches_an_effect_before_its_cause) {
    DeliveryChecker checker{verdict};
    PublishTraits traits;
    traits.after = Lamport{7};
    const Receiver receiver{1, 0, NodeId{2}, SubscriptionId{5}, false};
    for (std::uint64_t number = 1; number <= 2; ++number) {
        checker.published(kNow, {0, 0, number}, {.id = PublishId{100 + number}, .subscribers = 1}, traits);
        EXPECT_TRUE(verdict.clean());
        checker.handled(kNow, receiver, {0, 0, number}, {.lamport = Lamport{9 - number}}, bus::Verdict::accept);
    }
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'causes come before effects' violated")));
}

}  // namespace
}  // namespace dunlin::sim
