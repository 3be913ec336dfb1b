#include <cortex_m/elapsed_time.hpp>

#include <gtest/gtest.h>

namespace board {
namespace {

constexpr std::uint32_t kTicksAMicrosecond = 50;

TEST(ElapsedTime, CountsWholeMicrosecondsAndKeepsTheRest) {
    ElapsedTime time{kTicksAMicrosecond};
    EXPECT_EQ(time.at(0), 0);
    EXPECT_EQ(time.at(49), 0);
    EXPECT_EQ(time.at(50), 1);
    EXPECT_EQ(time.at(149), 2);
    EXPECT_EQ(time.at(150), 3);
    EXPECT_EQ(time.at(150), 3);
}

TEST(ElapsedTime, LosesNoTickWhereItIsAskedAtUnevenTimes) {
    ElapsedTime time{kTicksAMicrosecond};
    std::int64_t ticks = 0;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        ticks += 37 + i % 101;
        ASSERT_EQ(time.at(static_cast<std::uint32_t>(ticks)), ticks / kTicksAMicrosecond);
    }
}

TEST(ElapsedTime, GoesOnWhereTheCounterBeginsAnew) {
    ElapsedTime time{kTicksAMicrosecond};
    constexpr std::int64_t kAround = std::int64_t{1} << 32;
    for (std::int64_t ticks = 0; ticks < 20 * kAround; ticks += kAround - 1) {
        ASSERT_EQ(time.at(static_cast<std::uint32_t>(ticks)), ticks / kTicksAMicrosecond);
    }
}

}  // namespace
}  // namespace board
