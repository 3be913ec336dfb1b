#include <dunlin/core/event.hpp>

#include <gtest/gtest.h>

#include <array>

namespace dunlin {
namespace {

struct EventQueueTest : testing::Test {
    std::array<Event, 3> storage{};
    Counters counters;
    EventQueue queue{storage, counters};

    void push(std::uint64_t value) {
        Event event;
        event.kind = EventKind::started;
        event.value = value;
        queue.push(event);
    }
    void expect_started(std::uint64_t value) {
        const Event event = queue.pop();
        EXPECT_EQ(event.kind, EventKind::started);
        EXPECT_EQ(event.value, value);
    }
    void expect_lost(std::uint64_t count) {
        const Event event = queue.pop();
        EXPECT_EQ(event.kind, EventKind::events_lost);
        EXPECT_EQ(event.value, count);
    }
};

TEST_F(EventQueueTest, an_empty_one_pops_none) {
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop().kind, EventKind::none);
}

TEST_F(EventQueueTest, gives_events_in_order) {
    for (std::uint64_t i = 1; i <= 3; ++i) push(i);
    for (std::uint64_t i = 1; i <= 3; ++i) expect_started(i);
    EXPECT_TRUE(queue.empty());
}

TEST_F(EventQueueTest, tells_how_many_had_no_room_where_they_would_have_been) {
    for (std::uint64_t i = 1; i <= 5; ++i) push(i);  // 4 and 5 have no room
    EXPECT_EQ(counters.get(Counter::events_dropped), 2U);
    expect_started(1);
    push(6);
    expect_started(2);
    expect_started(3);
    EXPECT_FALSE(queue.empty());
    expect_lost(2);
    expect_started(6);
    EXPECT_TRUE(queue.empty());
}

TEST_F(EventQueueTest, tells_of_every_loss_even_when_it_is_never_empty) {
    std::uint64_t pushed = 0;
    std::uint64_t popped = 0;
    std::uint64_t lost = 0;
    for (int round = 0; round < 100; ++round) {
        push(++pushed);
        push(++pushed);
        const Event event = queue.pop();
        if (event.kind == EventKind::events_lost) lost += event.value;
        if (event.kind == EventKind::started) ++popped;
    }
    EXPECT_GT(lost, 50U);
    while (!queue.empty()) {
        const Event event = queue.pop();
        if (event.kind == EventKind::events_lost) lost += event.value;
        if (event.kind == EventKind::started) ++popped;
    }
    EXPECT_EQ(popped + lost, pushed);
    EXPECT_EQ(counters.get(Counter::events_dropped), lost);
}

TEST(EventNames, every_outcome_and_kind_has_one) {
    for (int i = 0; i <= static_cast<int>(Outcome::skipped); ++i) EXPECT_NE(to_string(static_cast<Outcome>(i)), "unknown");
    for (int i = 0; i <= static_cast<int>(EventKind::events_lost); ++i) EXPECT_NE(to_string(static_cast<EventKind>(i)), "unknown");
    EXPECT_EQ(to_string(static_cast<Outcome>(200)), "unknown");
    EXPECT_EQ(to_string(Outcome::retry_budget), "retry_budget");
    EXPECT_EQ(to_string(EventKind::lease_jeopardy), "lease_jeopardy");
}

TEST(Outcome, travels_so_its_numbers_never_change) {
    EXPECT_EQ(static_cast<int>(Outcome::acknowledged), 1);
    EXPECT_EQ(static_cast<int>(Outcome::expired), 2);
    EXPECT_EQ(static_cast<int>(Outcome::rejected), 3);
    EXPECT_EQ(static_cast<int>(Outcome::fenced), 4);
    EXPECT_EQ(static_cast<int>(Outcome::subscriber_gone), 5);
    EXPECT_EQ(static_cast<int>(Outcome::peer_removed), 6);
    EXPECT_EQ(static_cast<int>(Outcome::retry_budget), 7);
    EXPECT_EQ(static_cast<int>(Outcome::skipped), 8);
}

}  // namespace
}  // namespace dunlin
