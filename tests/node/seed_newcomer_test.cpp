// Who comes to the address of a seed and dials this node too; and who only claims to be there.
#include "node/seed_world.hpp"

namespace dunlin {
namespace {

using test::Host;
using test::kFirst;
using test::kPatience;
using test::kSecond;
using test::Listener;
using test::NodeWorld;

// Node 1 knows one address, "2".
class SeedNewcomer : public test::SeedWorld {
  protected:
    // The first one is gone, and one message is owed to it.
    void owe() {
        world.run_for(seconds{1});
        world.remove(2);
        ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    }
    void expect_first_gone() {
        EXPECT_EQ(ended(publisher, Outcome::subscriber_gone), 1U);
        EXPECT_EQ(publisher.outcomes(), 1U);
        EXPECT_EQ(publisher.node->subscriber_count("t"), 1U);
    }
};

TEST_F(SeedNewcomer, that_dials_before_the_address_is_asked_anew_ends_what_the_one_before_is_owed) {
    appear(kFirst, first, {"1"});
    owe();
    appear(kSecond, second, {"1"});
    world.run_for(kPatience);
    expect_first_gone();
}

TEST_F(SeedNewcomer, that_dials_after_the_address_was_asked_anew_ends_what_the_one_before_is_owed) {
    appear(kFirst, first, {"1"});
    owe();
    world.run_for(seconds{60});
    appear(kSecond, second, {"1"});
    world.run_for(kPatience);
    expect_first_gone();
}

TEST_F(SeedNewcomer, that_was_there_before_ends_what_the_one_since_is_owed) {
    appear(kFirst, first);
    world.run_for(seconds{1});
    world.remove(2);
    appear(kSecond, second);
    world.run_for(kPatience);
    owe();
    appear(kFirst, first);
    world.run_for(kPatience);
    expect_first_gone();
}

TEST_F(SeedNewcomer, that_dies_in_its_handshake_does_not_hide_who_was_there) {
    appear(kFirst, first);
    owe();
    world.run_for(seconds{60});
    appear(NodeId{5}, second, {"1"}).deaf = true;
    world.run_for(seconds{3});
    world.remove(2);
    world.run_for(kPatience);
    appear(kSecond, second);
    world.run_for(kPatience);
    expect_first_gone();
}

// Not one of the claims of node 7 to be at the address comes from there.
TEST_F(SeedNewcomer, that_is_somewhere_else_ends_nothing) {
    appear(kFirst, first);
    world.run_for(seconds{1});
    world.remove(2);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(kPatience);
    appear(kSecond, second, {"1"}).deaf = true;
    world.run_for(seconds{1});
    world.remove(2);
    world.add_at<limits::micro>(9, kSecond, {"1"});
    world.run_for(kPatience);
    EXPECT_EQ(publisher.node->status(world.now).sessions_open, 1U);
    EXPECT_EQ(publisher.outcomes(), 0U);
}

// It says hello from there in the name of a node that is met elsewhere, and hears no answer.
TEST_F(SeedNewcomer, that_takes_the_name_of_another_node_does_not_make_the_address_forgotten) {
    world.add<limits::micro>(3, {"1"});
    world.run_for(seconds{1});
    for (const std::string_view cluster : {"c", "d"}) {
        world.add_at<limits::micro>(2, NodeId{3}, {"1"}, nullptr, std::string(cluster)).deaf = true;
        world.run_for(seconds{1});
        world.remove(2);
        ASSERT_EQ(publisher.node->status(world.now).sessions_open, 1U);
        appear(kFirst, first);
        world.run_for(kPatience);
        EXPECT_EQ(publisher.node->status(world.now).sessions_open, 2U) << cluster;
        world.remove(2);
        world.run_for(kPatience);
    }
}

// It has the same id, so that it is refused by name, every time.
TEST_F(SeedNewcomer, of_another_cluster_is_asked_no_more_often_than_one_that_never_answered) {
    for (const bool dials : {true, false}) {
        world.add_at<limits::micro>(2, kFirst);
        world.run_for(seconds{60});
        world.remove(2);
        world.run_for(seconds{60});
        world.add_at<limits::micro>(2, kFirst, dials ? std::vector<std::string>{"1"} : std::vector<std::string>{}, nullptr, "d");
        world.run_for(kPatience);
        const auto before = publisher.node->counters().get(Counter::packets_sent);
        world.run_for(seconds{10});
        EXPECT_LT(publisher.node->counters().get(Counter::packets_sent) - before, 60U);
        world.remove(2);
    }
}

TEST(SeedNewcomerSlots, that_dials_a_full_table_ends_what_the_one_before_is_owed) {
    constexpr Limits kThreePeers = [] {
        Limits limits = limits::micro;
        limits.peers = 3;
        return limits;
    }();
    NodeWorld world;
    Listener listener;
    Host& publisher = world.add<kThreePeers>(1, {"2", "3"});
    world.add<limits::micro>(3);
    ASSERT_TRUE(world.add_at<limits::micro>(2, kFirst).node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(seconds{1});
    world.remove(2);
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(seconds{60});
    ASSERT_TRUE(world.add_at<limits::micro>(2, kSecond, {"1"}).node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(kPatience);
    EXPECT_EQ(ended(publisher, Outcome::subscriber_gone), 1U);
    EXPECT_EQ(publisher.node->subscriber_count("t"), 1U);
    EXPECT_EQ(publisher.late_deadlines, 0U);
}

}  // namespace
}  // namespace dunlin
