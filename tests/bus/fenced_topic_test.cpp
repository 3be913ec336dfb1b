#include "bus_world.hpp"

#include <dunlin/ledger/lease_key.hpp>

#include <gtest/gtest.h>

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::Listener;
using test::Member;
using test::World;

constexpr Duration kShortly = milliseconds{100};

// Node 1 publishes under leases; node 2 guards the lease "crane".
class FencedTopic : public testing::Test {
  protected:
    explicit FencedTopic(bool journal = false) {
        world.start(1);
        start_guard(journal);
    }
    void start_guard(bool journal) {
        world.start(2, journal);
        ASSERT_TRUE(world[2].bus.subscribe("move", listener.handler(), {.fence_lease = "crane"}).ok());
        world.run_for(seconds{5});
    }
    PublishId publish(std::string_view payload, std::optional<PublishFence> fence) {
        return world[1].bus.publish(world.now, {.topic = "move", .payload = bytes_of(payload), .fence = fence}).value().id;
    }
    PublishId publish(std::string_view payload, std::uint64_t token) { return publish(payload, PublishFence{"crane", Token{token}}); }
    void know_floor(std::uint64_t token) { world[2].bus.floor_known(world.now, ledger::lease_key("crane"), Token{token}); }
    Outcome outcome_of(PublishId id) { return world[1].outcome_of(id).outcome; }
    World world;
    Listener listener;
};

TEST_F(FencedTopic, without_a_journal_holds_everything_until_the_floor_was_read) {
    EXPECT_EQ(world[2].bus.needs_floor_read().value(), "crane");
    const PublishId id = publish("up", 7);
    world.run_for(seconds{5});
    EXPECT_TRUE(listener.heard.empty());
    EXPECT_TRUE(world[1].outcomes.empty());
    know_floor(7);
    EXPECT_FALSE(world[2].bus.needs_floor_read().has_value());
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"move=up"});
    EXPECT_EQ(listener.messages.at(0).token, Token{7});
    EXPECT_EQ(outcome_of(id), Outcome::acknowledged);
}

TEST_F(FencedTopic, fences_a_message_without_a_token) {
    know_floor(7);
    const PublishId id = publish("up", std::nullopt);
    world.run_for(kShortly);
    EXPECT_TRUE(listener.heard.empty());
    EXPECT_EQ(outcome_of(id), Outcome::fenced);
}

TEST_F(FencedTopic, fences_a_message_under_another_lease_however_high_its_token) {
    know_floor(7);
    const PublishId id = publish("up", PublishFence{"pump", Token{1000}});
    world.run_for(kShortly);
    EXPECT_TRUE(listener.heard.empty());
    EXPECT_EQ(outcome_of(id), Outcome::fenced);
    const PublishId right = publish("up", 7);  // the other lease's token has raised nothing
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(right), Outcome::acknowledged);
}

TEST_F(FencedTopic, compares_tokens_by_order) {
    know_floor(7);
    const PublishId low = publish("6", 6);
    world.run_for(kShortly);
    const PublishId high = publish("9", 9);
    world.run_for(kShortly);
    const PublishId again = publish("9", 9);
    const PublishId old = publish("7", 7);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"move=9", "move=9"}));
    EXPECT_EQ(outcome_of(low), Outcome::fenced);
    EXPECT_EQ(outcome_of(high), Outcome::acknowledged);
    EXPECT_EQ(outcome_of(again), Outcome::acknowledged);
    EXPECT_EQ(outcome_of(old), Outcome::fenced);
}

TEST_F(FencedTopic, tells_its_own_application_what_was_fenced) {
    know_floor(7);
    while (!world[2].events.empty()) (void)world[2].events.pop();
    (void)publish("6", 6);
    world.run_for(kShortly);
    const Event event = world[2].events.pop();
    EXPECT_EQ(event.kind, EventKind::message_fenced);
    EXPECT_EQ(event.node, NodeId{1});
    EXPECT_EQ(event.value, 6U);
    EXPECT_EQ(event.detail, 7U);
    EXPECT_EQ(world[2].counters.get(Counter::messages_fenced), 1U);
}

TEST_F(FencedTopic, lets_any_message_into_a_subscription_that_guards_nothing) {
    Listener open;
    ASSERT_TRUE(world[2].bus.subscribe("move", open.handler()).ok());
    world.run_for(seconds{1});
    (void)publish("up", 3);
    (void)publish("down", std::nullopt);
    world.run_for(kShortly);
    EXPECT_EQ(open.heard, (std::vector<std::string>{"move=up", "move=down"}));
    EXPECT_TRUE(listener.heard.empty());
}

TEST_F(FencedTopic, a_token_expires_with_its_message_where_the_floor_is_never_known) {
    const auto id = world[1].bus.publish(world.now, {.topic = "move", .lifetime = seconds{1}, .fence = PublishFence{"crane", Token{7}}});
    world.run_for(seconds{5});
    EXPECT_TRUE(listener.heard.empty());
    EXPECT_EQ(outcome_of(id.value().id), Outcome::expired);
}

TEST_F(FencedTopic, with_a_new_journal_holds_everything_until_the_floor_was_read) {
    start_guard(true);
    EXPECT_EQ(world[2].bus.needs_floor_read().value(), "crane");
    const PublishId stale = publish("down", 6);
    world.run_for(seconds{1});
    EXPECT_TRUE(listener.heard.empty());
    know_floor(7);
    (void)publish("up", 7);
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(stale), Outcome::fenced);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"move=up"});
}

class JournalledFencedTopic : public FencedTopic {
  protected:
    JournalledFencedTopic() : FencedTopic(true) { know_floor(1); }
};

TEST_F(JournalledFencedTopic, hands_a_message_over_only_after_its_floor_is_durable) {
    EXPECT_FALSE(world[2].bus.needs_floor_read().has_value());
    world[2].auto_sync = false;
    (void)publish("up", 7);
    world.run_for(seconds{1});
    EXPECT_TRUE(listener.heard.empty());
    EXPECT_EQ(world[2].bus.fences().floor(ledger::lease_key("crane")), Token{7});
    world[2].sync();
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"move=up"});
}

TEST_F(JournalledFencedTopic, a_message_whose_floor_found_the_journal_in_a_checkpoint_is_not_forgotten) {
    (void)publish("6", 6);
    world.run_for(kShortly);
    world[2].journal.begin_checkpoint();
    (void)publish("7", 7);
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"move=6"});
    // Nothing new is durable after the checkpoint, and nobody has anything else to say.
    world[2].write_checkpoint(world.now);
    world.run_for(seconds{1});
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"move=6", "move=7"}));
}

TEST_F(JournalledFencedTopic, remembers_its_floor_over_a_crash) {
    (void)publish("7", 7);
    world.run_for(kShortly);
    ASSERT_EQ(listener.heard.size(), 1U);
    start_guard(true);
    const PublishId stale = publish("6", 6);
    const PublishId good = publish("7 again", 7);
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(stale), Outcome::fenced);
    EXPECT_EQ(outcome_of(good), Outcome::acknowledged);
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"move=7", "move=7 again"}));
}

TEST_F(JournalledFencedTopic, remembers_its_floor_over_a_checkpoint_and_a_crash) {
    (void)publish("7", 7);
    world.run_for(kShortly);
    world[2].compact(world.now);
    start_guard(true);
    const PublishId stale = publish("6", 6);
    world.run_for(kShortly);
    EXPECT_EQ(outcome_of(stale), Outcome::fenced);
}

TEST_F(JournalledFencedTopic, forgets_a_floor_only_where_nobody_was_admitted_under_it) {
    world[2].auto_sync = false;
    (void)publish("7", 7);
    world.run_for(kShortly);
    ASSERT_TRUE(listener.heard.empty());
    start_guard(true);  // the floor was never durable, and no handler ran under it
    EXPECT_LE(world[2].bus.fences().floor(ledger::lease_key("crane")), Token{7});
}

}  // namespace
}  // namespace dunlin::bus
