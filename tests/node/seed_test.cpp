// Who is at the address of a seed, when it is not who was.
#include "node/seed_world.hpp"

namespace dunlin {
namespace {

using test::Host;
using test::kFirst;
using test::kPatience;
using test::kSecond;
using test::Listener;
using test::NodeWorld;

// Node 1 knows one address, "2", and nobody there knows node 1.
class Seed : public test::SeedWorld {
  protected:
    [[nodiscard]] std::optional<PeerReport> report(NodeId id) {
        for (std::size_t i = 0;; ++i) {
            const auto peer = publisher.node->peer(world.now, i);
            if (!peer || peer->id == id) return peer;
        }
    }
};

TEST_F(Seed, another_node_that_comes_to_its_address_is_met) {
    appear(kFirst, first);
    world.run_for(seconds{1});
    ASSERT_EQ(publisher.node->subscriber_count("t"), 1U);
    world.remove(2);
    appear(kSecond, second);
    world.run_for(kPatience);
    EXPECT_EQ(publisher.node->subscriber_count("t"), 1U);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(second.heard.size(), 1U);
    EXPECT_EQ(ended(publisher, Outcome::acknowledged), 1U);
    ASSERT_TRUE(report(kFirst).has_value());
    EXPECT_EQ(report(kFirst)->health, membership::Health::dead);
    EXPECT_FALSE(report(kFirst)->session_open);
    EXPECT_TRUE(report(kSecond)->session_open);
}

TEST_F(Seed, one_after_the_other_is_met_and_none_leaves_anything_behind) {
    for (std::uint16_t id = 2; id < 12; ++id) {
        appear(NodeId{id}, first);
        world.run_for(kPatience);
        ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
        world.run_for(seconds{1});
        EXPECT_EQ(first.heard.size(), id - 1U);
        world.remove(2);
    }
    EXPECT_EQ(ended(publisher, Outcome::acknowledged), 10U);
}

TEST_F(Seed, what_the_one_that_was_there_is_owed_ends_once_another_one_is_met) {
    appear(kFirst, first);
    world.run_for(seconds{1});
    world.remove(2);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(kPatience);
    EXPECT_EQ(publisher.outcomes(), 0U) << "nobody is there who would have taken its place";
    appear(kSecond, second);
    world.run_for(kPatience);
    EXPECT_EQ(ended(publisher, Outcome::subscriber_gone), 1U);
    EXPECT_EQ(publisher.outcomes(), 1U);
    EXPECT_TRUE(second.heard.empty());
}

TEST_F(Seed, what_durable_subscriptions_are_owed_waits_though_another_one_is_met) {
    appear(kFirst, first, {}, 1);
    world.run_for(seconds{1});
    world.remove(2);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    appear(kSecond, second);
    world.run_for(kPatience);
    EXPECT_EQ(publisher.node->subscriber_count("t"), 2U);
    EXPECT_EQ(publisher.outcomes(), 0U);
    world.remove(2);
    appear(kFirst, first, {}, 1);
    world.run_for(kPatience);
    EXPECT_EQ(first.heard.size(), 1U);
    EXPECT_EQ(ended(publisher, Outcome::acknowledged), 1U);
}

TEST_F(Seed, the_node_that_was_only_out_of_reach_gets_what_it_is_owed) {
    Host& subscriber = appear(kFirst, first);
    world.run_for(seconds{1});
    subscriber.deaf = subscriber.mute = true;
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(seconds{60});
    subscriber.deaf = subscriber.mute = false;
    world.run_for(kPatience);
    EXPECT_EQ(first.heard.size(), 1U);
    EXPECT_EQ(ended(publisher, Outcome::acknowledged), 1U);
    EXPECT_EQ(publisher.outcomes(), 1U);
}

TEST_F(Seed, one_that_moved_and_is_met_elsewhere_keeps_what_it_is_owed) {
    Host& mover = world.add<limits::micro>(5, {"1"});
    ASSERT_TRUE(mover.node->subscribe("t", bus::Handler::of(first)).ok());
    world.run_for(seconds{1});
    Host& at_seed = appear(NodeId{6}, second);
    world.run_for(seconds{1});
    at_seed.deaf = at_seed.mute = true;
    world.run_for(kPatience);
    EXPECT_TRUE(report(NodeId{5})->session_open);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(first.heard.size(), 1U);
}

// Both slots are in use, one of them for a node that is gone: nothing is owed to it, so its slot is for whoever comes.
TEST(SeedSlots, a_full_table_has_room_for_who_comes_to_the_address_of_a_node_that_is_owed_nothing) {
    constexpr Limits kTwoPeers = [] {
        Limits limits = limits::micro;
        limits.peers = 2;
        return limits;
    }();
    NodeWorld world;
    Listener listener;
    Host& publisher = world.add<kTwoPeers>(1, {"2", "3"});
    world.add<limits::micro>(3);
    world.add_at<limits::micro>(2, kFirst);
    world.run_for(seconds{1});
    ASSERT_EQ(publisher.node->status(world.now).sessions_open, 2U);
    world.remove(2);
    Host& subscriber = world.add_at<limits::micro>(2, kSecond);
    ASSERT_TRUE(subscriber.node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(kPatience);
    ASSERT_EQ(publisher.node->status(world.now).sessions_open, 2U);
    EXPECT_EQ(publisher.node->subscriber_count("t"), 1U);
    EXPECT_EQ(publisher.late_deadlines, 0U);
}

}  // namespace
}  // namespace dunlin
