#include <dunlin/core/division.hpp>
#include <dunlin/core/time.hpp>

#include <gtest/gtest.h>

namespace dunlin {
namespace {

TEST(Time, is_in_microseconds) {
    EXPECT_EQ(to_us(seconds(2)), 2'000'000);
    EXPECT_EQ(from_us(1500), microseconds(1500));
    EXPECT_EQ(to_us(milliseconds(-3)), -3000);
}

TEST(Time, adding_to_a_deadline_stops_at_never) {
    EXPECT_EQ(saturating_add(Instant{seconds(1)}, seconds(2)), Instant{seconds(3)});
    EXPECT_EQ(saturating_add(kNever, seconds(1)), kNever);
    EXPECT_EQ(saturating_add(kNever - seconds(1), seconds(2)), kNever);
    EXPECT_EQ(saturating_add(kNever - seconds(2), seconds(2)), kNever);
    EXPECT_EQ(saturating_add(Instant{seconds(3)}, seconds(-1)), Instant{seconds(2)});
}

TEST(WholeMilliseconds, are_rounded_down_or_up) {
    EXPECT_EQ(whole_ms(Duration{0}), 0U);
    EXPECT_EQ(whole_ms(Duration{1999}), 1U);
    EXPECT_EQ(whole_ms_up(Duration{1001}), 2U);
    EXPECT_EQ(whole_ms_up(Duration{2000}), 2U);
    EXPECT_EQ(whole_ms(Duration{5'000'000'000'999}), 5'000'000'000U);
}

}  // namespace
}  // namespace dunlin
