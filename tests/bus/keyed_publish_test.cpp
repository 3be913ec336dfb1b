#include "bus_world.hpp"

#include <gtest/gtest.h>

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::Listener;
using test::World;

constexpr Duration kShortly = milliseconds{100};
constexpr IdempotencyKey kKey{0x1111, 0x2222};

// Nodes 1 and 3 publish to node 2, which remembers four keys.
struct KeyedPublish : testing::Test {
    KeyedPublish() {
        world.start(1);
        world.start(3);
        start_subscriber();
        world.run_for(seconds{2});
    }
    void start_subscriber() {
        world.start(2, true);
        ASSERT_TRUE(world[2].bus.subscribe("t", listener.handler(), {.durable_id = 1}).ok());
    }
    Result<Published> publish(std::uint16_t node, std::string_view payload, std::optional<IdempotencyKey> key = kKey,
                              Duration lifetime = seconds{60}) {
        return world[node].bus.publish(world.now, {.topic = "t", .payload = bytes_of(payload), .lifetime = lifetime, .key = key});
    }
    Outcome outcome_of(std::uint16_t node, PublishId id) { return world[node].outcome_of(id).outcome; }
    World world;
    Listener listener;
};

TEST_F(KeyedPublish, a_resend_over_another_peer_is_acknowledged_and_not_run) {
    ASSERT_TRUE(publish(1, "first").ok());
    world.run_for(kShortly);
    const PublishId resent = publish(3, "again").value().id;
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(3, resent), Outcome::acknowledged);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=first"});
    EXPECT_EQ(world[2].counters.get(Counter::keys_repeated), 1U);
    EXPECT_EQ(world[2].counters.get(Counter::messages_delivered), 1U);
}

TEST_F(KeyedPublish, a_resend_hears_that_the_first_was_rejected) {
    listener.verdict = Verdict::reject;
    ASSERT_TRUE(publish(1, "first").ok());
    world.run_for(kShortly);
    const PublishId resent = publish(3, "again").value().id;
    world.run_for(kShortly);
    const Event outcome = world[3].outcome_of(resent);
    EXPECT_EQ(outcome.outcome, Outcome::rejected);
    EXPECT_EQ(outcome.effect, Effect::unknown);
    EXPECT_EQ(listener.heard.size(), 1U);
}

TEST_F(KeyedPublish, another_subscription_of_the_same_node_has_the_effect_as_well) {
    Listener second;
    ASSERT_TRUE(world[2].bus.subscribe("+", second.handler(), {.durable_id = 2}).ok());
    world.run_for(kShortly);
    ASSERT_TRUE(publish(1, "first").ok());
    ASSERT_TRUE(publish(1, "again").ok());
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(second.heard.size(), 1U);
}

TEST_F(KeyedPublish, a_resend_waits_for_the_handler_that_has_the_first_though_its_publisher_is_gone) {
    listener.verdict = Verdict::pending;
    ASSERT_TRUE(publish(1, "first").ok());
    world.run_for(kShortly);
    world.start(1);  // without a journal: its stream ends
    world.run_for(seconds{5});
    const PublishId resent = publish(1, "again").value().id;
    world.run_for(seconds{1});
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(outcome_of(1, resent), Outcome::none);
    EXPECT_GE(world[2].counters.get(Counter::keys_waited), 1U);
    (void)world[2].bus.complete(world.now, listener.messages.at(0).completion, Verdict::accept);
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(1, resent), Outcome::acknowledged);
    EXPECT_EQ(listener.heard.size(), 1U);
}

// It goes on when an entry runs out. What it holds back meanwhile is its own publisher's for the same subscription.
TEST_F(KeyedPublish, a_full_table_makes_a_message_wait_and_says_so) {
    for (std::uint64_t i = 1; i <= test::kLimits.explicit_keys; ++i) ASSERT_TRUE(publish(1, "fills", IdempotencyKey{0, i}).ok());
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), test::kLimits.explicit_keys);
    const PublishId waits = publish(1, "waits", IdempotencyKey{0, 9}, seconds{200}).value().id;
    const PublishId behind = publish(1, "behind", std::nullopt).value().id;
    const PublishId free = publish(3, "free", std::nullopt).value().id;
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(1, waits), Outcome::none);
    EXPECT_EQ(outcome_of(1, behind), Outcome::none);
    EXPECT_EQ(outcome_of(3, free), Outcome::acknowledged);
    EXPECT_GE(world[2].counters.get(Counter::key_table_full), 1U);
    Event event;
    do { event = world[2].events.pop(); } while (event.kind != EventKind::none && event.kind != EventKind::key_table_full);
    EXPECT_EQ(event.kind, EventKind::key_table_full);
    EXPECT_EQ(event.node, NodeId{1});
    const std::size_t before = listener.heard.size();
    world.run_for(seconds{90});
    EXPECT_EQ(outcome_of(1, waits), Outcome::acknowledged);
    EXPECT_EQ(outcome_of(1, behind), Outcome::expired);
    EXPECT_EQ(listener.heard.size(), before + 1);
}

TEST_F(KeyedPublish, what_waits_for_room_ends_with_its_lifetime) {
    for (std::uint64_t i = 1; i <= test::kLimits.explicit_keys; ++i) ASSERT_TRUE(publish(1, "fills", IdempotencyKey{0, i}).ok());
    const PublishId waits = publish(1, "waits", IdempotencyKey{0, 9}, seconds{5}).value().id;
    const PublishId behind = publish(1, "behind", std::nullopt).value().id;
    world.run_for(seconds{10});
    EXPECT_EQ(world[1].outcome_of(waits).outcome, Outcome::expired);
    EXPECT_EQ(world[1].outcome_of(waits).effect, Effect::none);
    EXPECT_EQ(outcome_of(1, behind), Outcome::acknowledged);
}

TEST_F(KeyedPublish, a_restarted_subscriber_knows_its_keys_from_the_journal) {
    ASSERT_TRUE(publish(1, "first").ok());
    world.run_for(kShortly);
    for (const bool checkpoint : {false, true}) {
        if (checkpoint) world[2].compact(world.now);
        start_subscriber();
        world.run_for(seconds{5});
        const PublishId resent = publish(3, "again").value().id;
        world.run_for(kShortly);
        EXPECT_EQ(outcome_of(3, resent), Outcome::acknowledged) << checkpoint;
        EXPECT_EQ(listener.heard.size(), 1U) << checkpoint;
    }
}

TEST_F(KeyedPublish, no_settlement_leaves_before_its_key_is_durable) {
    world[2].auto_sync = false;
    const PublishId first = publish(1, "first").value().id;
    world.run_for(seconds{1});
    ASSERT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(outcome_of(1, first), Outcome::none);
    start_subscriber();  // what it had in hand is lost with it
    world.run_for(seconds{10});
    ASSERT_EQ(listener.heard.size(), 2U);
    EXPECT_TRUE(listener.messages[1].maybe_repeated);
    EXPECT_EQ(outcome_of(1, first), Outcome::acknowledged);
}

// The application's resend is a new message: only its key tells that it may have run before the crash.
TEST_F(KeyedPublish, a_resend_says_that_an_earlier_process_may_have_had_the_effect) {
    world[2].auto_sync = false;
    ASSERT_TRUE(publish(1, "first").ok());
    world.run_for(seconds{1});
    world.kill(1);
    start_subscriber();
    world.run_for(seconds{10});
    ASSERT_TRUE(publish(3, "again").ok());
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), 2U);
    EXPECT_FALSE(listener.messages[0].maybe_repeated);
    EXPECT_TRUE(listener.messages[1].maybe_repeated);
}

TEST_F(KeyedPublish, a_restarted_publisher_sends_the_key_along) {
    world.start(1, true);
    world.run_for(seconds{5});
    world.loss_percent = 100;
    ASSERT_TRUE(publish(1, "from the journal").ok());
    world.settle();
    world.start(1, true);
    world.loss_percent = 0;
    world.run_for(seconds{5});
    ASSERT_EQ(listener.heard, std::vector<std::string>{"t=from the journal"});
    ASSERT_TRUE(publish(3, "again").ok());
    world[1].compact(world.now);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard.size(), 1U);
}

TEST_F(KeyedPublish, refuses_a_key_that_could_not_be_forgotten_or_names_nothing) {
    EXPECT_EQ(publish(1, "x", kKey, {}).status(), Status::invalid_argument);
    EXPECT_EQ(publish(1, "x", kKey, seconds{3600} + microseconds{1}).status(), Status::invalid_argument);
    EXPECT_EQ(publish(1, "x", IdempotencyKey{}).status(), Status::invalid_argument);
    EXPECT_TRUE(publish(1, "x", kKey, seconds{3600}).ok());
}

}  // namespace
}  // namespace dunlin::bus
