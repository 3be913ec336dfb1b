#include "durable_outbox.hpp"

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::DurableOutbox;
using test::kShortly;
using test::Listener;
using test::Member;
using test::World;

TEST_F(DurableOutbox, sends_nothing_before_the_publish_is_durable) {
    world[1].auto_sync = false;
    ASSERT_TRUE(publish("x").ok());
    world.run_for(seconds{1});
    EXPECT_TRUE(listener.heard.empty());
    world[1].sync();
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=x"});
}

TEST_F(DurableOutbox, sends_after_a_crash_what_it_had_accepted) {
    world.loss_percent = 100;
    ASSERT_TRUE(publish("1").ok());
    ASSERT_TRUE(publish("2").ok());
    world.settle();
    restart_publisher();
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"t=1", "t=2"}));
    EXPECT_EQ(world[1].outcomes.size(), 2U);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

TEST_F(DurableOutbox, delivers_once_what_a_crash_left_without_an_outcome) {
    ASSERT_TRUE(publish("1").ok());
    world[1].auto_poll = false;
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), 1U);
    restart_publisher();
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard.size(), 1U);
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    EXPECT_EQ(world[1].outcomes[0].outcome, Outcome::acknowledged);
}

TEST_F(DurableOutbox, does_not_tell_an_outcome_again_that_was_told_and_written) {
    ASSERT_TRUE(publish("1").ok());
    world.run_for(kShortly);
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    restart_publisher();
    world.run_for(seconds{10});
    EXPECT_TRUE(world[1].outcomes.empty());
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

TEST_F(DurableOutbox, tells_a_dead_letter_that_was_known_before_the_crash_as_it_was) {
    listener.verdict = Verdict::reject;
    world[1].auto_poll = false;
    const PublishId refused = publish("bad").value().id;
    world.run_for(kShortly);
    ASSERT_TRUE(publish("next").ok());  // writes what is known
    world.settle();
    restart_publisher();
    world.settle();
    EXPECT_EQ(world[1].outcome_of(refused).outcome, Outcome::rejected);
}

TEST_F(DurableOutbox, tells_no_outcome_that_a_crash_could_change) {
    world.loss_percent = 100;
    ASSERT_TRUE(publish("x").ok());
    world.settle();
    world[1].auto_sync = false;
    world.loss_percent = 0;
    world.run_for(seconds{2});
    ASSERT_EQ(listener.heard.size(), 1U);
    EXPECT_TRUE(world[1].outcomes.empty());
    world[1].sync();
    world.run_for(kShortly);
    EXPECT_EQ(world[1].outcomes.size(), 1U);
}

TEST_F(DurableOutbox, does_not_take_a_dead_letter_for_acknowledged_that_a_crash_made_it_forget) {
    listener.verdict = Verdict::reject;
    world.loss_percent = 100;
    const PublishId refused = publish("bad").value().id;
    world.settle();
    world[1].auto_sync = false;
    world.loss_percent = 0;
    world.run_for(seconds{2});
    ASSERT_EQ(listener.heard.size(), 1U);
    restart_publisher();
    world.run_for(seconds{10});
    EXPECT_EQ(world[1].outcome_of(refused).outcome, Outcome::rejected);
}

TEST_F(DurableOutbox, does_not_take_what_it_gave_up_for_acknowledged_after_a_crash) {
    world.loss_percent = 100;
    const PublishId late = publish("late", seconds{3}).value().id;
    world.settle();
    world[1].auto_sync = false;
    world.run_for(seconds{20});
    world.loss_percent = 0;
    world.run_for(seconds{5});
    restart_publisher();
    world.run_for(seconds{10});
    // Nobody was told that it had expired, so it may still arrive; but one must fit the other.
    EXPECT_EQ(world[1].outcome_of(late).outcome, listener.heard.empty() ? Outcome::expired : Outcome::acknowledged);
}

// The volatile delivery is in the checkpoint under the epoch of its subscriber's old process, the durable one under that of
// the new. So recovery ends the first, and then finds that this was told before the crash.
TEST_F(DurableOutbox, stops_lifetimes_while_the_publisher_is_down) {
    world.kill(2);
    ASSERT_TRUE(publish("x", seconds{10}).ok());
    world.settle();
    world.kill(1);
    world.run_for(seconds{3600});
    world.start(1, true);
    start_subscriber();
    world.run_for(seconds{5});
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=x"});
}

TEST_F(DurableOutbox, expires_when_the_rest_of_the_lifetime_has_passed) {
    world.kill(2);
    ASSERT_TRUE(publish("x", seconds{10}).ok());
    world.settle();
    restart_publisher();
    world.run_for(seconds{15});
    ASSERT_EQ(world[1].outcomes.size(), 1U);
    EXPECT_EQ(world[1].outcomes[0].outcome, Outcome::expired);
}

TEST_F(DurableOutbox, stores_the_position_with_the_publish) {
    const auto at = [&](std::uint64_t position) {
        return world[1].bus.publish(world.now, {.topic = "t", .payload = bytes_of("x"), .position = position});
    };
    EXPECT_EQ(world[1].bus.publish_position(), 0U);
    ASSERT_TRUE(at(41).ok());
    world.settle();
    world[1].auto_sync = false;
    ASSERT_TRUE(at(42).ok());
    EXPECT_EQ(world[1].bus.publish_position(), 42U);
    restart_publisher();  // the second publish was never durable, and neither is its position
    EXPECT_EQ(world[1].bus.publish_position(), 41U);
    world[1].compact(world.now);
    restart_publisher();
    EXPECT_EQ(world[1].bus.publish_position(), 41U);
}

TEST_F(DurableOutbox, ends_deliveries_to_volatile_subscriptions_of_an_older_epoch) {
    world.start(3);
    Listener other;
    ASSERT_TRUE(world[3].bus.subscribe("t", other.handler()).ok());
    world.run_for(seconds{2});
    world.loss_percent = 100;
    const PublishId id = publish("x").value().id;
    world.settle();
    restart_publisher();
    world.start(3);  // its new process may use the same subscription id for something else
    Listener wrong;
    ASSERT_TRUE(world[3].bus.subscribe("else", wrong.handler()).ok());
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_TRUE(wrong.heard.empty());
    std::multiset<Outcome> outcomes;
    for (const Event& event : world[1].outcomes) {
        if (event.id == id.value()) outcomes.insert(event.outcome);
    }
    EXPECT_EQ(outcomes, (std::multiset<Outcome>{Outcome::acknowledged, Outcome::subscriber_gone}));
}

// What a handler does when a session opens must not reach the process before.
TEST(DurablePublisher, whose_new_process_lets_a_message_go_gets_no_answer_meant_for_the_old_one) {
    struct Answering {
        World& world;
        std::vector<std::string> heard{};
        Status answered = Status::ok;
        Verdict operator()(const Message& message) {
            heard.push_back(test::text_of(message.payload));
            if (heard.size() == 1) return Verdict::pending;
            answered = world[1].bus.publish(world.now, {.topic = "answers", .payload = bytes_of("yes")}).status();
            return Verdict::accept;
        }
    };
    World world;
    world.start(1);
    world.start(2, true);
    Answering handler{world};
    Listener answers;
    ASSERT_TRUE(world[1].bus.subscribe("t", Handler::of(handler)).ok());
    ASSERT_TRUE(world[2].bus.subscribe("answers", answers.handler()).ok());
    world.run_for(seconds{2});
    ASSERT_TRUE(world[2].bus.publish(world.now, {.topic = "t", .payload = bytes_of("1"), .lifetime = seconds{1}}).ok());
    ASSERT_TRUE(world[2].bus.publish(world.now, {.topic = "t", .payload = bytes_of("2")}).ok());
    world.run_for(kShortly);
    ASSERT_EQ(world[1].bus.subscriber_count("answers"), 1);
    // The first message expires while nothing passes, and its end is told; the new process has forgotten it.
    world.loss_percent = 100;
    world.run_for(seconds{10});
    ASSERT_EQ(world[2].outcomes.size(), 1U);
    ASSERT_EQ(handler.heard, std::vector<std::string>{"1"});
    world.start(2, true);
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_EQ(handler.heard, (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(handler.answered, Status::no_subscriber);
    EXPECT_EQ(world[2].outcomes.size(), 1U);
}

TEST_F(DurableOutbox, still_serves_volatile_subscriptions_of_a_peer_that_did_not_restart) {
    world.start(3);
    Listener other;
    ASSERT_TRUE(world[3].bus.subscribe("t", other.handler()).ok());
    world.run_for(seconds{2});
    world.loss_percent = 100;
    ASSERT_TRUE(publish("x").ok());
    world.settle();
    restart_publisher();
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_EQ(other.heard, std::vector<std::string>{"t=x"});
    EXPECT_EQ(world[1].outcomes.size(), 2U);
}

TEST_F(DurableOutbox, says_busy_and_stores_nothing_where_the_journal_has_no_room) {
    world[1].auto_sync = false;
    Status status = Status::ok;
    std::size_t accepted = 0;
    for (; status == Status::ok; accepted += status == Status::ok ? 1 : 0) status = publish(std::string(250, 'x')).status();
    EXPECT_EQ(status, Status::busy);
    EXPECT_GT(accepted, 2U);
    EXPECT_EQ(world[1].outbox.messages_used(), accepted);
    world[1].auto_sync = true;
    world.run_for(kShortly);
    EXPECT_TRUE(publish("y").ok());
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard.size(), accepted + 1);
}

TEST_F(DurableOutbox, refuses_records_that_make_no_sense) {
    const auto replay = [&](journal::RecordKind kind, std::span<const std::byte> bytes) {
        return world[1].bus.replay(world.now, kind, bytes);
    };
    const std::array<std::byte, 47> zeros{};
    EXPECT_EQ(replay(journal::RecordKind::outbox_put, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::outbox_delivery, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::outbox_done, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::lane_next, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::remote_subscription, std::span(zeros).first(4)), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::remote_subscription_removed, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::position, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::fence_floor, zeros), Status::corrupt);
    EXPECT_EQ(replay(journal::RecordKind::epoch, zeros), Status::ok);  // not the bus's
}

// Crashes of both sides at any moment, loss, checkpoints, journals that sync late.

}  // namespace
}  // namespace dunlin::bus
