#include "bus_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::bus {
namespace {

using test::bytes_of;
using test::Listener;
using test::Member;
using test::World;

constexpr PeerIndex kSlotOfTwo{1};

int count_events(Member& member, EventKind kind) {
    int count = 0;
    while (!member.events.empty()) count += member.events.pop().kind == kind ? 1 : 0;
    return count;
}

class Advertising : public testing::Test {
  protected:
    World world;
    Listener listener;
    SubscriptionId subscribe(std::string_view filter, std::uint32_t durable_id = 0) {
        return world[2].bus.subscribe(filter, listener.handler(), {.durable_id = durable_id}).value();
    }
    void start_both(bool durable_publisher = false) {
        world.start(1, durable_publisher);
        world.start(2);
    }
};

TEST_F(Advertising, tells_what_was_subscribed_before_and_during_a_session) {
    start_both();
    subscribe("a");
    world.run_for(seconds{2});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    EXPECT_EQ(count_events(world[1], EventKind::subscribed), 1);
    subscribe("b");
    world.run_for(milliseconds{100});
    EXPECT_EQ(world[1].bus.subscriber_count("b"), 1);
}

TEST_F(Advertising, falls_silent_when_everything_is_known) {
    start_both();
    subscribe("a");
    world.run_for(seconds{2});
    EXPECT_FALSE(world[2].bus.wants_to_send(world.now, PeerIndex{0}));
    EXPECT_EQ(world[2].bus.next_deadline(), kNever);
    EXPECT_FALSE(world[1].bus.wants_to_send(world.now, kSlotOfTwo));
    EXPECT_EQ(world[1].bus.next_deadline(), kNever);
}

TEST_F(Advertising, takes_back_a_subscription) {
    start_both();
    const SubscriptionId id = subscribe("a");
    world.run_for(seconds{2});
    ASSERT_EQ(world[2].bus.unsubscribe(id), Status::ok);
    EXPECT_EQ(world[2].bus.unsubscribe(id), Status::not_found);
    world.run_for(milliseconds{100});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    EXPECT_EQ(count_events(world[1], EventKind::unsubscribed), 1);
}

TEST_F(Advertising, is_over_with_the_subscribers_process) {
    start_both();
    subscribe("a");
    world.run_for(seconds{2});
    world.start(2);
    world.run_for(seconds{5});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    subscribe("a");
    world.run_for(milliseconds{100});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
}

TEST_F(Advertising, tells_again_what_changed_while_there_was_no_session) {
    start_both();
    const SubscriptionId gone = subscribe("gone");
    subscribe("stays");
    world.run_for(seconds{2});
    world.loss_percent = 100;
    world.run_for(seconds{10});
    ASSERT_FALSE(world[2].link(NodeId{1}).session_open());
    ASSERT_EQ(world[2].bus.unsubscribe(gone), Status::ok);
    // So many that the removed row is used again, and its removal can no longer be told by itself.
    subscribe("b");
    subscribe("c");
    subscribe("d");
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_EQ(world[1].bus.subscriber_count("gone"), 0);
    for (const std::string_view topic : {"stays", "b", "c", "d"}) EXPECT_EQ(world[1].bus.subscriber_count(topic), 1) << topic;
}

TEST_F(Advertising, agrees_in_the_end_whatever_is_lost) {
    start_both();
    world.run_for(seconds{1});
    Random random(5);
    world.loss_percent = 40;
    std::vector<std::pair<SubscriptionId, std::string>> live;
    int changes = 0;
    for (int i = 0; i < 300; ++i) {
        if (random.below(2) == 0) {
            const std::string filter(1, static_cast<char>('a' + random.below(6)));
            const auto added = world[2].bus.subscribe(filter, listener.handler());
            if (added.ok()) live.emplace_back(added.value(), filter);
            changes += added.ok() ? 1 : 0;
        } else if (!live.empty()) {
            const auto victim = static_cast<std::size_t>(random.below(live.size()));
            ASSERT_EQ(world[2].bus.unsubscribe(live[victim].first), Status::ok);
            live.erase(live.begin() + static_cast<std::ptrdiff_t>(victim));
            ++changes;
        }
        world.run_for(from_us(static_cast<std::int64_t>(random.below(400000))));
    }
    EXPECT_GT(changes, 100);
    world.loss_percent = 0;
    world.run_for(seconds{30});
    for (char topic = 'a'; topic < 'g'; ++topic) {
        const std::string name(1, topic);
        const auto expected = std::count_if(live.begin(), live.end(), [&](const auto& entry) { return entry.second == name; });
        EXPECT_EQ(world[1].bus.subscriber_count(name), expected) << name;
    }
}

TEST_F(Advertising, refuses_what_has_no_room_and_hears_it_again_when_there_is) {
    start_both();
    world.start(3);
    for (const std::string_view filter : {"a", "b", "c"}) subscribe(filter);
    world.run_for(seconds{2});
    Listener other;
    const SubscriptionId d = world[3].bus.subscribe("d", other.handler()).value();
    ASSERT_TRUE(world[3].bus.subscribe("e", other.handler()).ok());
    world.run_for(seconds{2});
    EXPECT_EQ(world[1].bus.subscriber_count("d"), 1);
    EXPECT_EQ(world[1].bus.subscriber_count("e"), 0);
    EXPECT_GE(world[1].counters.get(Counter::remote_subscriptions_full), 1U);
    ASSERT_EQ(world[3].bus.unsubscribe(d), Status::ok);
    world.run_for(seconds{600});
    EXPECT_EQ(world[1].bus.subscriber_count("d"), 0);
    EXPECT_EQ(world[1].bus.subscriber_count("e"), 1);
    EXPECT_EQ(world[3].bus.next_deadline(), kNever);
}

// ---- Records, one by one ----------------------------------------------------------------------------------------------

class AdvertisingRecords : public Advertising {
  protected:
    AdvertisingRecords() {
        start_both();
        world.run_for(seconds{2});
    }
    void subscribe_record(std::uint32_t generation, std::uint32_t id, std::string_view filter) {
        const wire::Subscribe fixed(generation, id, 0, 0);
        EXPECT_TRUE(
            world[1].bus.on_record(world.now, kSlotOfTwo, {wire::RecordType::subscribe, dunlin::bytes_of(fixed), bytes_of(filter)}));
    }
    void unsubscribe_record(std::uint32_t generation, std::uint32_t id) {
        const wire::Unsubscribe fixed(generation, id);
        EXPECT_TRUE(world[1].bus.on_record(world.now, kSlotOfTwo, {wire::RecordType::unsubscribe, dunlin::bytes_of(fixed), {}}));
    }
};

TEST_F(AdvertisingRecords, a_late_copy_of_an_older_change_changes_nothing) {
    subscribe_record(10, 5, "a");
    unsubscribe_record(11, 5);
    subscribe_record(10, 5, "a");
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    EXPECT_TRUE(world[1].bus.wants_to_send(world.now, kSlotOfTwo));  // but it is acknowledged again
}

TEST_F(AdvertisingRecords, the_end_mark_ends_what_this_session_did_not_state) {
    subscribe_record(10, 5, "a");
    world[1].bus.session_closed(kSlotOfTwo);
    world[1].bus.session_opened(kSlotOfTwo);
    subscribe_record(20, 6, "b");
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    unsubscribe_record(21, 0);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    EXPECT_EQ(world[1].bus.subscriber_count("b"), 1);
}

TEST_F(AdvertisingRecords, the_end_mark_leaves_durable_subscriptions_alone) {
    subscribe_record(10, durable_subscription(5).value(), "a");
    world[1].bus.session_closed(kSlotOfTwo);
    world[1].bus.session_opened(kSlotOfTwo);
    unsubscribe_record(20, 0);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    unsubscribe_record(21, durable_subscription(5).value());
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
}

TEST_F(AdvertisingRecords, malformed_ones_are_counted_and_forgotten) {
    const std::uint32_t before = world[1].counters.get(Counter::records_malformed);
    subscribe_record(10, 0, "a");
    subscribe_record(11, 5, "");
    subscribe_record(12, 5, "a#");
    EXPECT_EQ(world[1].counters.get(Counter::records_malformed), before + 3);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    subscribe_record(13, 5, std::string(33, 'a'));  // longer than this node can keep
    EXPECT_EQ(world[1].counters.get(Counter::remote_subscriptions_full), 1U);
}

TEST_F(AdvertisingRecords, an_acknowledgement_of_what_was_never_said_is_ignored) {
    subscribe("a");
    const wire::SubscriptionsAcked acked(1'000'000, 0);
    ASSERT_TRUE(world[2].bus.on_record(world.now, PeerIndex{0}, {wire::RecordType::subscriptions_acked, dunlin::bytes_of(acked), {}}));
    world.run_for(milliseconds{100});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
}

TEST_F(AdvertisingRecords, others_are_not_the_buss) {
    const wire::Ping ping{};
    EXPECT_FALSE(world[1].bus.on_record(world.now, kSlotOfTwo, {wire::RecordType::ping, dunlin::bytes_of(ping), {}}));
}

// ---- Durable subscriptions --------------------------------------------------------------------------------------------

TEST_F(Advertising, a_durable_subscription_outlives_its_subscribers_process) {
    start_both();
    subscribe("a", 7);
    world.run_for(seconds{2});
    world.kill(2);
    world.run_for(seconds{5});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    ASSERT_TRUE(world[1].bus.publish(world.now, {.topic = "a", .payload = bytes_of("while away")}).ok());
    world.start(2);
    world.run_for(seconds{5});
    EXPECT_TRUE(listener.heard.empty());  // held until the application subscribes again
    EXPECT_TRUE(world[1].outcomes.empty());
    subscribe("a", 7);
    world.run_for(seconds{2});
    EXPECT_EQ(listener.heard, std::vector<std::string>{"a=while away"});
    EXPECT_EQ(world[1].outcomes.size(), 1U);
}

TEST_F(Advertising, a_durable_subscription_outlives_its_publishers_process_where_that_has_a_journal) {
    start_both(true);
    subscribe("a", 7);
    subscribe("b");
    world.run_for(seconds{2});
    world.kill(2);
    world.start(1, true);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    EXPECT_EQ(world[1].bus.subscriber_count("b"), 0);
    world[1].compact(world.now);
    world.start(1, true);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    EXPECT_TRUE(world[1].bus.peer_needed(kSlotOfTwo));
}

TEST_F(Advertising, a_durable_subscription_ends_when_it_is_removed_also_in_the_journal) {
    start_both(true);
    const SubscriptionId id = subscribe("a", 7);
    world.run_for(seconds{2});
    ASSERT_EQ(world[2].bus.unsubscribe(id), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    world.start(1, true);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
    EXPECT_FALSE(world[1].bus.peer_needed(kSlotOfTwo));
}

TEST_F(Advertising, a_durable_subscription_that_is_removed_while_the_publisher_is_away_ends_when_it_is_back) {
    start_both(true);
    const SubscriptionId id = subscribe("a", 7);
    world.run_for(seconds{2});
    world.kill(1);
    world.run_for(seconds{5});
    ASSERT_EQ(world[2].bus.unsubscribe(id), Status::ok);
    world.start(1, true);
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 1);
    world.run_for(seconds{5});
    EXPECT_EQ(world[1].bus.subscriber_count("a"), 0);
}

}  // namespace
}  // namespace dunlin::bus
