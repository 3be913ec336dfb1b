#include <cortex_m/elapsed_time.hpp>

#include <gtest/gtest.h>

namespace board {
namespace {

constexpr std::uint32_t kTicksAMicrosecond = 50;

TEST(ElapsedTime, counts_whole_microseconds_and_keeps_the_rest) {
    ElapsedTime time{kTicksAMicrosecond};
    EXPECT_EQ(time.at(0), 0);
    EXPECT_EQ(time.at(49), 0);
    EXPECT_EQ(time.at(50), 1);
    EXPECT_EQ(time.at(149), 2);
    EXPECT_EQ(time.at(150), 3);
    EXPECT_EQ(time.at(150), 3);
}

TEST(ElapsedTime, loses_no_tick_where_it_is_asked_at_uneven_times) {
    ElapsedTime time{kTicksAMicrosecond};
    std::int64_t ticks = 0;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        ticks += 37 + i % 101;
        ASSERT_EQ(time.at(static_cast<std::uint32_t>(ticks)), ticks / kTicksAMicrosecond);
    }
}

TEST(ElapsedTime, goes_on_where_the_counter_begins_anew) {
    ElapsedTime time{kTicksAMicrosecond};
    constexpr std::int64_t kAround = std::int64_t{1} << 32;
    for (std::int64_t ticks = 0; ticks < 20 * kAround; ticks += kAround - 1) {
        ASSERT_EQ(time.at(static_cast<std::uint32_t>(ticks)), ticks / kTicksAMicrosecond);
    }
}

}  // namespace
}  // namespace board
