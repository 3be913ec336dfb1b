#include "durable_outbox.hpp"

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::DurableOutbox;
using test::kShortly;
using test::Listener;
using test::Member;
using test::World;

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
        accepted += publish(std::string(static_cast<std::size_t>(random.below(256)), 'x')).ok() ? 1 : 0;
        if (random.below(3) == 0) world.run_for(kShortly);
        if (random.below(4) == 0) world[1].poll_outcomes();
        if (random.below(20) == 0 && !world[1].journal.checkpointing()) world[1].compact(world.now);
    }
    EXPECT_GT(accepted, 50);
    restart_publisher();  // recovery is asserted to succeed
    world.run_for(seconds{5});
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
}

// Under loss, crashes and checkpoints at any moment.
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
