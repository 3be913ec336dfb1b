#include "frames.hpp"

#include <delay_queue.hpp>

#include <gtest/gtest.h>

#include <memory>

namespace dunlin_wire {
namespace {

constexpr PortIndex kA{0};

dunlin::Instant at(std::int64_t us) { return dunlin::Instant{dunlin::from_us(us)}; }

SharedFrame marked(std::uint8_t mark) { return std::make_shared<const std::vector<std::byte>>(frame_of(kBroadcast, station(1), mark)); }

std::uint8_t take(DelayQueue& queue) {
    const auto mark = std::to_integer<std::uint8_t>(queue.front().frame->back());
    queue.pop();
    return mark;
}

TEST(DelayQueue, the_earliest_is_first_and_of_equals_the_one_that_came_first) {
    DelayQueue queue(10);
    for (const auto& [due, mark] : {std::pair{30, 1}, {10, 2}, {20, 3}, {10, 4}, {10, 5}, {20, 6}}) {
        EXPECT_TRUE(queue.push(at(due), kA, marked(static_cast<std::uint8_t>(mark))));
    }
    for (const int mark : {2, 4, 5, 3, 6, 1}) EXPECT_EQ(take(queue), mark);
    EXPECT_TRUE(queue.empty());
}

TEST(DelayQueue, a_full_one_takes_nothing_and_keeps_what_it_has) {
    DelayQueue queue(2);
    EXPECT_TRUE(queue.push(at(2), kA, marked(1)));
    EXPECT_TRUE(queue.push(at(1), kA, marked(2)));
    EXPECT_FALSE(queue.push(at(0), kA, marked(3)));
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(take(queue), 2);
    EXPECT_TRUE(queue.push(at(0), kA, marked(4)));
    EXPECT_EQ(take(queue), 4);
}

TEST(DelayQueueDeathTest, an_empty_one_has_no_front) {
    DelayQueue queue(2);
    EXPECT_DEATH((void)queue.front(), "");
    EXPECT_DEATH(queue.pop(), "");
}

}  // namespace
}  // namespace dunlin_wire
