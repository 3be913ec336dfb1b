// Who gets a slot of a full peer table, and who keeps it; and what is sent to them.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Host;
using test::Listener;
using test::NodeWorld;

constexpr Limits kTwoPeers = [] {
    Limits limits = limits::micro;
    limits.peers = 2;
    return limits;
}();

// A handler has one message of node 2, which never hears so: the network between them fails for a while.
class CutOff : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener)).ok());
        world.run_for(seconds{1});
        publisher.deaf = true;
        ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
        world.run_for(milliseconds{1});
        ASSERT_EQ(listener.heard.size(), 1U);
        publisher.mute = true;
        world.run_for(seconds{5});
    }
    void reconnect() {
        publisher.deaf = publisher.mute = false;
        world.run_for(seconds{30});
    }

    NodeWorld world;
    Listener listener;
    Host& receiver = world.add<kTwoPeers>(1);
    Host& publisher = world.add<limits::micro>(2, {"1"});
};

TEST_F(CutOff, hellos_of_another_cluster_take_no_slot) {
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{8, 9}) world.add<limits::micro>(id, {"1"}, nullptr, "other");
    world.run_for(seconds{2});
    EXPECT_EQ(receiver.node->peer(world.now, 1), std::nullopt);
    EXPECT_GT(receiver.node->counters().get(Counter::packets_foreign_cluster), 0U);
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{8, 9}) world.remove(id);
    reconnect();
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(publisher.outcomes(), 1U);
}

TEST_F(CutOff, a_newcomer_does_not_take_the_slot_of_a_publisher_that_may_send_again) {
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{8, 9}) world.add<limits::micro>(id, {"1"});
    world.run_for(seconds{2});
    EXPECT_GT(receiver.node->counters().get(Counter::packets_no_peer_slot), 0U);
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{8, 9}) world.remove(id);
    reconnect();
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(publisher.outcomes(), 1U);
}

TEST(PeerSlots, a_newcomer_takes_the_slot_of_a_publisher_that_said_goodbye) {
    NodeWorld world;
    Listener listener;
    Host& receiver = world.add<kTwoPeers>(1);
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener)).ok());
    for (const std::uint16_t id : std::array<std::uint16_t, 4>{2, 3, 4, 5}) {
        Host& visitor = world.add<limits::micro>(id, {"1"});
        world.run_for(seconds{1});
        ASSERT_EQ(world.publish(visitor, "t", "x"), Status::ok) << id;
        world.run_for(milliseconds{100});
        world.stop_gracefully(id);
    }
    EXPECT_EQ(listener.heard.size(), 4U);
}

TEST(PeerSlots, of_a_peer_that_said_goodbye_nobody_is_told_that_it_is_suspect_or_dead) {
    NodeWorld world;
    Host& receiver = world.add<kTwoPeers>(1);
    world.add<limits::micro>(2, {"1"});
    world.run_for(seconds{1});
    ASSERT_FALSE(receiver.node->peer(world.now, 0)->left);
    world.stop_gracefully(2);
    world.run_for(seconds{10});
    EXPECT_EQ(std::ranges::count(receiver.events, EventKind::peer_suspect, &Event::kind), 0);
    EXPECT_EQ(std::ranges::count(receiver.events, EventKind::peer_dead, &Event::kind), 0);
    EXPECT_TRUE(receiver.node->peer(world.now, 0)->left);
    world.add<limits::micro>(2, {"1"});
    world.run_for(seconds{1});
    EXPECT_FALSE(receiver.node->peer(world.now, 0)->left);
    world.remove(2);
    world.run_for(seconds{10});
    EXPECT_EQ(std::ranges::count(receiver.events, EventKind::peer_dead, &Event::kind), 1);
}

TEST(PeerSlots, publishers_that_vanished_are_forgotten_for_newcomers_after_an_hour) {
    NodeWorld world;
    Listener listener;
    Host& receiver = world.add<kTwoPeers>(1);
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener)).ok());
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{2, 3}) {
        Host& visitor = world.add<limits::micro>(id, {"1"});
        world.run_for(seconds{1});
        ASSERT_EQ(world.publish(visitor, "t", "x"), Status::ok) << id;
        world.run_for(milliseconds{100});
        world.remove(id);
    }
    Host& newcomer = world.add<limits::micro>(4, {"1"});
    world.run_for(seconds{60});
    EXPECT_EQ(newcomer.node->status(world.now).sessions_open, 0U);
    world.run_for(std::chrono::hours{1});
    EXPECT_EQ(newcomer.node->status(world.now).sessions_open, 1U);
}

TEST(SizeProbes, are_told_apart_from_other_packets) {
    NodeWorld world;
    Listener listener;
    world.packet_bytes_max = 1472;
    Host& publisher = world.add<limits::micro>(1);
    Host& subscriber = world.add<limits::micro>(2, {"1"});
    ASSERT_TRUE(subscriber.node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(seconds{1});
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(publisher.probes, std::vector<std::size_t>{1472});
    EXPECT_EQ(publisher.node->counters().get(Counter::packet_size_probes), 1U);
    EXPECT_EQ(listener.heard.size(), 1U);
}

TEST(PeerSlots, a_node_that_drains_sleeps_though_it_would_dial_a_seed) {
    NodeWorld world;
    Listener listener;
    listener.verdict = bus::Verdict::pending;
    Host& publisher = world.add<limits::micro>(1, {"nowhere"});
    Host& receiver = world.add<limits::micro>(2, {"1"});
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(seconds{2});
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(milliseconds{500});
    publisher.late_deadlines = 0;
    publisher.node->shutdown(world.now);
    world.run_for(milliseconds{20});
    for (int i = 0; i < 100 && publisher.late_deadlines == 0; ++i) world.run_for(milliseconds{100});
    EXPECT_EQ(publisher.late_deadlines, 0U);
    EXPECT_FALSE(publisher.node->drained());
}

}  // namespace
}  // namespace dunlin
