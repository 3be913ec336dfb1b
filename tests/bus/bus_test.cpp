#include "bus_world.hpp"

#include <gtest/gtest.h>

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::Listener;
using test::Member;
using test::World;

constexpr Duration kAWhile = seconds{2};
constexpr Duration kShortly = milliseconds{100};

Result<Published> publish(World& world, std::uint16_t node, std::string_view topic, std::string_view payload, Duration lifetime = {}) {
    return world[node].bus.publish(world.now, {.topic = topic, .payload = bytes_of(payload), .lifetime = lifetime});
}

// Two members that have met; node 1 publishes, node 2 listens.
class TwoMembers : public testing::Test {
  protected:
    TwoMembers() {
        world.start(1);
        world.start(2);
        world.run_for(kAWhile);
    }
    SubscriptionId subscribe(std::string_view filter, const SubscribeOptions& options = {}) {
        const SubscriptionId id = world[2].bus.subscribe(filter, listener.handler(), options).value();
        world.run_for(kAWhile);
        return id;
    }
    World world;
    Listener listener;
};

TEST_F(TwoMembers, deliver_a_publish_to_a_matching_subscription_and_tell_its_outcome) {
    const SubscriptionId id = subscribe("pier/+");
    const Result<Published> published = publish(world, 1, "pier/7", "high water");
    ASSERT_TRUE(published.ok());
    EXPECT_EQ(published.value().subscribers, 1);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"pier/7=high water"});
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    const Event& outcome = world[1].outcomes[0];
    EXPECT_EQ(outcome.kind, EventKind::outcome);
    EXPECT_EQ(outcome.outcome, Outcome::acknowledged);
    EXPECT_EQ(outcome.id, published.value().id.value());
    EXPECT_EQ(outcome.node, NodeId{2});
    EXPECT_EQ(outcome.subscription, id);
    EXPECT_EQ(world[1].counters.get(Counter::outcomes_acknowledged), 1U);
}

TEST_F(TwoMembers, store_nothing_where_nobody_listens) {
    EXPECT_EQ(publish(world, 1, "pier/7", "x").status(), Status::no_subscriber);
    subscribe("quay/#");
    EXPECT_EQ(publish(world, 1, "pier/7", "x").status(), Status::no_subscriber);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
    EXPECT_EQ(world[1].counters.get(Counter::publish_no_subscriber), 2U);
}

TEST_F(TwoMembers, refuse_bad_arguments) {
    subscribe("#");
    EXPECT_EQ(publish(world, 1, "", "x").status(), Status::invalid_topic);
    EXPECT_EQ(publish(world, 1, "a/+", "x").status(), Status::invalid_topic);
    EXPECT_EQ(publish(world, 1, std::string(33, 'a'), "x").status(), Status::invalid_topic);
    EXPECT_EQ(publish(world, 1, "a", std::string(257, 'x')).status(), Status::too_large);
    EXPECT_EQ(publish(world, 1, "a", "x", -milliseconds{1}).status(), Status::invalid_argument);
    const auto fenced = [&](std::string_view lease, Token token) {
        return world[1].bus.publish(world.now, {.topic = "a", .fence = PublishFence{lease, token}}).status();
    };
    EXPECT_EQ(fenced("", Token{1}), Status::invalid_argument);
    EXPECT_EQ(fenced("crane", Token{}), Status::invalid_argument);
    EXPECT_EQ(fenced(std::string(33, 'c'), Token{1}), Status::invalid_argument);
    EXPECT_EQ(world[2].bus.subscribe("a#", listener.handler()).status(), Status::invalid_filter);
    EXPECT_EQ(world[2].bus.subscribe("a", Handler{}).status(), Status::invalid_argument);
    EXPECT_EQ(world[2].bus.subscribe("a", listener.handler(), {.durable_id = 0x8000'0000}).status(), Status::invalid_argument);
    EXPECT_EQ(world[2].bus.subscribe("a", listener.handler(), {.fence_lease = std::string(33, 'c')}).status(), Status::invalid_argument);
}

TEST_F(TwoMembers, count_the_subscribers_of_a_topic) {
    EXPECT_EQ(world[1].bus.subscriber_count("a/b"), 0);
    subscribe("a/+");
    subscribe("a/b");
    EXPECT_EQ(world[1].bus.subscriber_count("a/b"), 2);
    EXPECT_EQ(world[1].bus.subscriber_count("a/c"), 1);
    EXPECT_EQ(world[1].bus.subscriber_count("not/+/valid"), 0);
}

TEST_F(TwoMembers, deliver_once_for_each_matching_subscription) {
    subscribe("a/+");
    subscribe("a/b");
    EXPECT_EQ(publish(world, 1, "a/b", "x").value().subscribers, 2);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard.size(), 2U);
    EXPECT_EQ(world[1].outcomes.size(), 2U);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

TEST_F(TwoMembers, keep_the_order_of_publishes_under_loss) {
    subscribe("#");
    world.loss_percent = 25;
    std::vector<std::string> sent;
    for (int i = 0; i < 300; ++i) {
        const std::string payload = std::to_string(i);
        while (!publish(world, 1, "n", payload).ok()) world.run_for(milliseconds{5});
        sent.push_back("n=" + payload);
    }
    world.run_for(seconds{20});
    EXPECT_EQ(listener.heard, sent);
    EXPECT_EQ(world[1].outcomes.size(), 300U);
}

TEST_F(TwoMembers, may_publish_inside_a_handler) {
    struct Echo {
        World* world;
        Verdict operator()(const Message& message) {
            const auto result = (*world)[2].bus.publish(world->now, {.topic = "echo", .payload = message.payload});
            return result.ok() ? Verdict::accept : Verdict::retry_later;
        }
    } echo{&world};
    ASSERT_TRUE(world[2].bus.subscribe("call", Handler::of(echo)).ok());
    ASSERT_TRUE(world[1].bus.subscribe("echo", listener.handler()).ok());
    world.run_for(kAWhile);
    for (const std::string_view text : {"a", "b", "c"}) ASSERT_TRUE(publish(world, 1, "call", text).ok());
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"echo=a", "echo=b", "echo=c"}));
}

TEST_F(TwoMembers, may_unsubscribe_inside_the_handler_that_is_running) {
    struct Once {
        World* world;
        SubscriptionId id{};
        int calls = 0;
        Verdict operator()(const Message&) {
            ++calls;
            EXPECT_EQ((*world)[2].bus.unsubscribe(id), Status::ok);
            return Verdict::accept;
        }
    } once{&world};
    once.id = world[2].bus.subscribe("a", Handler::of(once)).value();
    world.run_for(kAWhile);
    const PublishId first = publish(world, 1, "a", "1").value().id;
    const PublishId second = publish(world, 1, "a", "2").value().id;
    world.run_for(kShortly);
    EXPECT_EQ(once.calls, 1);
    ASSERT_EQ(world[1].outcomes.size(), 2U);
    EXPECT_EQ(world[1].outcome_of(first).outcome, Outcome::acknowledged);
    EXPECT_EQ(world[1].outcome_of(second).outcome, Outcome::subscriber_gone);
    EXPECT_EQ(world[1].outcome_of(second).effect, Effect::none);
    EXPECT_EQ(publish(world, 1, "a", "3").status(), Status::no_subscriber);
}

// ---- Verdicts ---------------------------------------------------------------------------------------------------------

TEST_F(TwoMembers, tell_a_rejection_as_a_dead_letter) {
    subscribe("#");
    listener.verdict = Verdict::reject;
    ASSERT_TRUE(publish(world, 1, "a", "x").ok());
    world.run_for(kShortly);
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    EXPECT_EQ(world[1].outcomes[0].outcome, Outcome::rejected);
    EXPECT_EQ(world[2].counters.get(Counter::payload_invalid), 0U);
}

TEST_F(TwoMembers, reject_and_count_what_the_handler_calls_invalid) {
    subscribe("#");
    listener.verdict = Verdict::invalid;
    ASSERT_TRUE(publish(world, 1, "a", "x").ok());
    world.run_for(kShortly);
    EXPECT_EQ(world[1].outcomes.at(0).outcome, Outcome::rejected);
    EXPECT_EQ(world[2].counters.get(Counter::payload_invalid), 1U);
}

TEST_F(TwoMembers, offer_again_what_is_to_be_retried_and_hold_back_that_subscription_alone) {
    subscribe("slow");
    Listener other;
    ASSERT_TRUE(world[2].bus.subscribe("fast", other.handler()).ok());
    world.run_for(kAWhile);
    listener.verdict = Verdict::retry_later;
    ASSERT_TRUE(publish(world, 1, "slow", "1").ok());
    ASSERT_TRUE(publish(world, 1, "slow", "2").ok());
    ASSERT_TRUE(publish(world, 1, "fast", "3").ok());
    world.settle();
    EXPECT_EQ(listener.heard, std::vector<std::string>{"slow=1"});
    EXPECT_EQ(other.heard, std::vector<std::string>{"fast=3"});
    listener.verdict = Verdict::accept;
    world.run_for(seconds{5});
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"slow=1", "slow=1", "slow=2"}));
    EXPECT_EQ(world[1].outcomes.size(), 3U);
}

TEST_F(TwoMembers, settle_a_pending_message_when_it_is_completed) {
    subscribe("#");
    listener.verdict = Verdict::pending;
    ASSERT_TRUE(publish(world, 1, "a", "1").ok());
    ASSERT_TRUE(publish(world, 1, "a", "2").ok());
    world.run_for(seconds{2});
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_TRUE(world[1].outcomes.empty());
    const CompletionId completion = listener.messages.at(0).completion;
    EXPECT_EQ(world[2].bus.complete(world.now, completion, Verdict::pending), Status::invalid_argument);
    CompletionId other = completion;
    other.publisher = NodeId{3};
    EXPECT_EQ(world[2].bus.complete(world.now, other, Verdict::accept), Status::not_found);
    other = completion;
    other.peer = PeerIndex{77};
    EXPECT_EQ(world[2].bus.complete(world.now, other, Verdict::accept), Status::not_found);
    EXPECT_EQ(world[2].bus.complete(world.now, completion, Verdict::accept), Status::ok);
    EXPECT_EQ(world[2].bus.complete(world.now, completion, Verdict::accept), Status::not_found);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard.size(), 2U);
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    EXPECT_EQ(world[1].outcomes[0].outcome, Outcome::acknowledged);
}

TEST_F(TwoMembers, end_a_publish_that_outlives_its_lifetime_as_expired) {
    subscribe("#");
    listener.verdict = Verdict::pending;
    ASSERT_TRUE(publish(world, 1, "a", "1").ok());
    ASSERT_TRUE(publish(world, 1, "a", "2", milliseconds{500}).ok());
    world.run_for(seconds{4});
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    EXPECT_EQ(world[1].outcomes[0].outcome, Outcome::expired);
    EXPECT_EQ(listener.heard.size(), 1U);
}

// ---- Limits -----------------------------------------------------------------------------------------------------------

TEST_F(TwoMembers, store_nothing_of_a_publish_for_which_the_outbox_has_no_room) {
    subscribe("#");
    listener.verdict = Verdict::pending;
    world[1].auto_poll = false;
    int accepted = 0;
    Status status = Status::ok;
    while (true) {
        status = publish(world, 1, "a", "x").status();
        if (status != Status::ok) break;
        ++accepted;
    }
    EXPECT_EQ(status, Status::outbox_full);
    EXPECT_EQ(accepted, test::kLimits.outbox_messages);
    EXPECT_EQ(world[1].outbox.messages_used(), std::size_t{test::kLimits.outbox_messages});
    EXPECT_EQ(world[1].counters.get(Counter::publish_outbox_full), 1U);
    EXPECT_EQ(world[1].counters.get(Counter::published), std::uint32_t{test::kLimits.outbox_messages});
    listener.verdict = Verdict::accept;
    ASSERT_EQ(world[2].bus.subscribe("#", listener.handler()).ok(), true);
}

TEST_F(TwoMembers, undo_a_publish_for_which_the_deliveries_do_not_suffice) {
    for (int i = 0; i < 3; ++i) subscribe("#");
    listener.verdict = Verdict::pending;
    // 16 deliveries: five publishes to three subscribers, and one delivery is left.
    for (int i = 0; i < 5; ++i) ASSERT_EQ(publish(world, 1, "a", "x").value().subscribers, 3);
    const std::size_t free_bytes = world[1].outbox.free_bytes();
    const Sequence next = world[1].link(NodeId{2}).sender().next();
    EXPECT_EQ(publish(world, 1, "a", "x").status(), Status::outbox_full);
    EXPECT_EQ(world[1].outbox.free_bytes(), free_bytes);
    EXPECT_EQ(world[1].outbox.messages_used(), 5U);
    EXPECT_EQ(world[1].link(NodeId{2}).sender().next(), next);
}

TEST_F(TwoMembers, have_room_again_after_outcomes_were_polled) {
    subscribe("#");
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(publish(world, 1, "a", std::string(200, 'x')).ok()) << i;
        world.run_for(kShortly);
    }
    EXPECT_EQ(world[1].outcomes.size(), 100U);
}

TEST_F(TwoMembers, refuse_a_publish_under_a_name_for_which_there_is_no_row) {
    subscribe("#");
    for (int i = 0; i < test::kLimits.topics; ++i) {
        ASSERT_TRUE(publish(world, 1, "topic" + std::to_string(i), "x").ok());
        world.run_for(kShortly);
    }
    EXPECT_EQ(publish(world, 1, "one more", "x").status(), Status::table_full);
    EXPECT_EQ(world[1].counters.get(Counter::topic_table_full), 1U);
    EXPECT_EQ(listener.heard.size(), std::size_t{test::kLimits.topics});
}

TEST_F(TwoMembers, reject_what_comes_under_a_name_for_which_there_is_no_row_and_go_on) {
    world.start(3);
    world.run_for(kAWhile);
    subscribe("#");
    for (int i = 0; i < test::kLimits.topics; ++i) {
        ASSERT_TRUE(publish(world, 1, "topic" + std::to_string(i), "x").ok());
        world.run_for(kShortly);
    }
    const PublishId refused = publish(world, 3, "one more", "x").value().id;
    const PublishId taken = publish(world, 3, "topic1", "y").value().id;
    world.run_for(kAWhile);
    EXPECT_EQ(world[3].outcome_of(refused).outcome, Outcome::rejected);
    EXPECT_EQ(world[3].outcome_of(taken).outcome, Outcome::acknowledged);
    EXPECT_EQ(listener.heard.back(), "topic1=y");
}

TEST_F(TwoMembers, say_table_full_for_one_subscription_or_fence_too_many) {
    for (int i = 0; i < 2; ++i) {
        const std::string lease = "lease" + std::to_string(i);
        ASSERT_TRUE(world[2].bus.subscribe("a", listener.handler(), {.fence_lease = lease}).ok());
    }
    EXPECT_EQ(world[2].bus.subscribe("a", listener.handler(), {.fence_lease = "lease2"}).status(), Status::table_full);
    for (int i = 2; i < test::kLimits.local_subscriptions; ++i) ASSERT_TRUE(world[2].bus.subscribe("a", listener.handler()).ok());
    EXPECT_EQ(world[2].bus.subscribe("a", listener.handler()).status(), Status::table_full);
}

}  // namespace
}  // namespace dunlin::bus
