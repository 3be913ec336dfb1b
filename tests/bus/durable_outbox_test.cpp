#include "bus_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::Listener;
using test::Member;
using test::World;

constexpr Duration kShortly = milliseconds{100};

// Node 1 publishes from a journal; node 2 has a durable subscription.
class DurableOutbox : public testing::Test {
  protected:
    DurableOutbox() {
        world.start(1, true);
        start_subscriber();
        world.run_for(seconds{2});
    }
    void start_subscriber(bool journal = true) {
        world.start(2, journal);
        ASSERT_TRUE(world[2].bus.subscribe("#", listener.handler(), {.durable_id = 1}).ok());
    }
    Result<Published> publish(std::string_view payload, Duration lifetime = {}) {
        return world[1].bus.publish(world.now, {.topic = "t", .payload = bytes_of(payload), .lifetime = lifetime});
    }
    void restart_publisher() { world.start(1, true); }
    World world;
    Listener listener;
};

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
TEST(DurableOutboxRecovery, reaches_a_peer_that_restarted_while_a_checkpoint_was_written) {
    World world;
    Listener volatile_one;
    Listener durable_one;
    volatile_one.verdict = durable_one.verdict = Verdict::pending;
    const auto start_subscriber = [&] {
        world.start(2);
        ASSERT_TRUE(world[2].bus.subscribe("v", volatile_one.handler()).ok());
        ASSERT_TRUE(world[2].bus.subscribe("d", durable_one.handler(), {.durable_id = 1}).ok());
        world.run_for(seconds{2});
    };
    Member& publisher = world.start(1, true);
    start_subscriber();
    ASSERT_TRUE(publisher.bus.publish(world.now, {.topic = "v", .payload = bytes_of("1")}).ok());
    ASSERT_TRUE(publisher.bus.publish(world.now, {.topic = "d", .payload = bytes_of("2")}).ok());
    world.run_for(kShortly);
    publisher.sync();

    publisher.journal.begin_checkpoint();
    while (!publisher.journal.checkpoint_takes_records()) ASSERT_TRUE(publisher.step_journal());
    ASSERT_EQ(publisher.journal.checkpoint_append(journal::RecordKind::format, {}), Status::ok);
    bool other_things_first = false;
    auto write = [&](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
        if (other_things_first) return Status::busy;
        other_things_first = kind == journal::RecordKind::outbox_delivery;
        return publisher.journal.checkpoint_append(kind, first, second);
    };
    EmitCursor cursor{};
    ASSERT_EQ(publisher.bus.emit_live(world.now, cursor, EmitRecord::of(write)), Status::busy);
    start_subscriber();
    for (Status status = Status::busy; status == Status::busy;) {
        other_things_first = false;
        status = publisher.bus.emit_live(world.now, cursor, EmitRecord::of(write));
        (void)publisher.step_journal();
    }
    publisher.journal.finish_checkpoint();
    publisher.sync();
    world.run_for(seconds{2});
    ASSERT_EQ(publisher.outcomes.size(), 1U);
    publisher.sync();

    world.start(1, true);
    world.run_for(seconds{30});
    EXPECT_TRUE(world[1].link(NodeId{2}).session_open());
}

TEST_F(DurableOutbox, goes_on_with_ids_and_sequences_that_were_never_used) {
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(publish(std::to_string(i)).ok());
        world.run_for(seconds{5});
        if (i % 2 == 0) world[1].compact(world.now);
        restart_publisher();
        world.run_for(seconds{5});
    }
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"t=0", "t=1", "t=2", "t=3", "t=4"}));
}

TEST_F(DurableOutbox, never_uses_a_sequence_again_whose_delivery_a_checkpoint_left_out) {
    // The first waits, the others are settled and told; then only the first is in the checkpoint.
    Listener slow;
    slow.verdict = Verdict::pending;
    ASSERT_TRUE(world[2].bus.subscribe("slow", slow.handler()).ok());
    world.run_for(seconds{1});
    ASSERT_TRUE(world[1].bus.publish(world.now, {.topic = "slow", .payload = bytes_of("s")}).ok());
    ASSERT_TRUE(publish("1").ok());
    ASSERT_TRUE(publish("2").ok());
    world.run_for(seconds{1});
    world[1].compact(world.now);
    restart_publisher();
    ASSERT_TRUE(publish("3").ok());
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard.back(), "t=3");
}

TEST_F(DurableOutbox, keeps_order_and_payloads_over_a_checkpoint) {
    world.kill(2);
    std::vector<std::string> sent;
    for (int i = 0; i < 7; ++i) {
        const std::string payload = std::to_string(i) + std::string(static_cast<std::size_t>(i) * 30, 'x');
        ASSERT_TRUE(publish(payload).ok());
        sent.push_back("t=" + payload);
        world.settle();
    }
    world[1].compact(world.now);
    restart_publisher();
    world[1].compact(world.now);
    restart_publisher();
    start_subscriber();
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard, sent);
    EXPECT_EQ(world[1].outcomes.size(), 7U);
}

TEST_F(DurableOutbox, keeps_the_payload_that_one_subscriber_has_settled_and_another_has_not) {
    Listener slow;
    ASSERT_TRUE(world[2].bus.subscribe("t", slow.handler(), {.durable_id = 2}).ok());
    world.run_for(seconds{1});
    slow.verdict = Verdict::pending;
    world[1].auto_poll = false;
    const PublishId id = publish("x").value().id;
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), 1U);
    world[1].compact(world.now);
    restart_publisher();
    start_subscriber();
    slow.verdict = Verdict::accept;
    ASSERT_TRUE(world[2].bus.subscribe("t", slow.handler(), {.durable_id = 2}).ok());
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(slow.heard, (std::vector<std::string>{"t=x", "t=x"}));
    EXPECT_TRUE(slow.messages.back().maybe_repeated);
    EXPECT_EQ(world[1].outcomes.size(), 2U);
    for (const Event& event : world[1].outcomes) EXPECT_EQ(event.id, id.value());
}

TEST_F(DurableOutbox, keeps_outcomes_that_nobody_polled_over_a_checkpoint) {
    world[1].auto_poll = false;
    std::vector<PublishId> ids;
    for (int i = 0; i < 5; ++i) {
        listener.verdict = i % 2 == 0 ? Verdict::accept : Verdict::reject;
        ids.push_back(publish("x").value().id);
        world.run_for(kShortly);
    }
    world[1].compact(world.now);
    restart_publisher();
    world.run_for(kShortly);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(world[1].outcome_of(ids[i]).outcome, i % 2 == 0 ? Outcome::acknowledged : Outcome::rejected);
    }
}

TEST_F(DurableOutbox, keeps_a_payload_over_a_checkpoint_while_one_of_its_subscribers_still_needs_it) {
    world.start(3, true);
    Listener other;
    ASSERT_TRUE(world[3].bus.subscribe("t", other.handler(), {.durable_id = 1}).ok());
    world.run_for(seconds{2});
    world[1].auto_poll = false;
    ASSERT_TRUE(publish("for both").ok());
    world.run_for(kShortly);
    world.kill(3);
    ASSERT_TRUE(publish("for one").ok());
    world.run_for(kShortly);
    world[1].compact(world.now);
    restart_publisher();
    world.start(3, true);
    ASSERT_TRUE(world[3].bus.subscribe("t", other.handler(), {.durable_id = 1}).ok());
    world.run_for(seconds{10});
    EXPECT_EQ(other.heard, (std::vector<std::string>{"t=for both", "t=for one"}));
    EXPECT_EQ(world[1].outcomes.size(), 4U);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

TEST_F(DurableOutbox, tells_no_outcome_while_a_checkpoint_is_written) {
    world[1].auto_poll = false;
    ASSERT_TRUE(publish("x").ok());
    world.run_for(kShortly);
    world[1].sync();
    world[1].journal.begin_checkpoint();
    Event event;
    EXPECT_FALSE(world[1].bus.poll_outcome(event));
    EXPECT_EQ(publish("y").status(), Status::busy);
    world[1].write_checkpoint(world.now);
    EXPECT_TRUE(world[1].bus.poll_outcome(event));
}

TEST_F(DurableOutbox, recovers_what_fitted_only_because_earlier_payloads_were_settled) {
    const std::string payload(256, 'x');
    world[1].auto_poll = false;
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(publish(payload).ok());
        world[1].sync();
    }
    ASSERT_EQ(world[1].outbox.free_bytes(), 0U);
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), 6U);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(publish(payload).ok());
    world.settle();
    restart_publisher();  // asserted to succeed
    world.run_for(seconds{5});
    EXPECT_EQ(listener.heard.size(), 8U);
    EXPECT_EQ(world[1].outcomes.size(), 8U);
}

TEST_F(DurableOutbox, fits_again_into_the_same_limits_whatever_was_polled_when) {
    Random random(3);
    world[1].auto_poll = false;
    int accepted = 0;
    for (int i = 0; i < 200; ++i) {
        accepted += publish(std::string(random.below(256), 'x')).ok() ? 1 : 0;
        if (random.below(3) == 0) world.run_for(kShortly);
        if (random.below(4) == 0) world[1].poll_outcomes();
        if (random.below(20) == 0 && !world[1].journal.checkpointing()) world[1].compact(world.now);
    }
    EXPECT_GT(accepted, 50);
    restart_publisher();  // recovery is asserted to succeed
    world.run_for(seconds{5});
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

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
class DurableOutboxStorm : public testing::TestWithParam<std::uint64_t> {};

TEST_P(DurableOutboxStorm, loses_nothing_and_repeats_nothing_unmarked) {
    World world(GetParam());
    Random random(GetParam() + 1000);
    Listener listener;
    const auto start_subscriber = [&] {
        world.start(2, true);
        ASSERT_TRUE(world[2].bus.subscribe("#", listener.handler(), {.durable_id = 1}).ok());
    };
    world.start(1, true);
    start_subscriber();
    world.run_for(seconds{2});
    world.loss_percent = 20;
    int next = 0;
    int crashes = 0;
    for (int step = 0; step < 400; ++step) {
        world[1].auto_sync = random.below(4) != 0;
        world[2].auto_sync = random.below(4) != 0;
        const auto result = world[1].bus.publish(
            world.now, {.topic = "n", .payload = bytes_of(std::to_string(next)), .position = static_cast<std::uint64_t>(next + 1)});
        if (result.ok()) ++next;
        world.run_for(from_us(static_cast<std::int64_t>(random.below(60000))));
        if (random.below(30) == 0) {
            world.start(1, true);
            // As an application that resumes at its stored position: what was not durable is published again.
            next = static_cast<int>(world[1].bus.publish_position());
            ++crashes;
        }
        if (random.below(30) == 0) {
            start_subscriber();
            ++crashes;
        }
        if (random.below(25) == 0) {
            world[1].sync();
            if (world[1].journal.state() == journal::State::ready) world[1].compact(world.now);
        }
    }
    world.loss_percent = 0;
    world[1].auto_sync = true;
    world[2].auto_sync = true;
    world.run_for(seconds{60});
    EXPECT_GT(crashes, 5);
    EXPECT_GT(next, 100);
    int expected = 0;
    for (std::size_t i = 0; i < listener.heard.size(); ++i) {
        const int number = std::stoi(listener.heard[i].substr(2));
        if (number == expected) {
            ++expected;
        } else {
            ASSERT_LT(number, expected) << "a gap: something was lost or overtaken";
            EXPECT_TRUE(listener.messages[i].maybe_repeated) << number << " came twice";
        }
    }
    EXPECT_EQ(expected, next);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DurableOutboxStorm, testing::Range<std::uint64_t>(1, 25));

}  // namespace
}  // namespace dunlin::bus
