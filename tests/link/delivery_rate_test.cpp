#include <dunlin/link/delivery_rate.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

constexpr Duration kUnqueued = milliseconds{10};

struct DeliveryRateTest : testing::Test {
    DeliveryRate rate;
    Instant now{seconds{1}};
    std::uint32_t next = 1;

    // Sends `packets` of 1,000 bytes, of which all but `lost` arrive `length` later.
    void round(std::uint32_t packets, Duration length = kUnqueued, std::uint32_t lost = 0) {
        const std::uint32_t first = next;
        next += packets;
        now += length;
        for (std::uint32_t number = first + lost; number != next; ++number) rate.on_acked(now, number, 1'000, next, kUnqueued);
    }
};

TEST_F(DeliveryRateTest, knows_nothing_before_a_whole_round_trip) {
    EXPECT_EQ(rate.carried().bytes, 0U);
    rate.on_acked(now, 1, 1'000, 2, kUnqueued);
    EXPECT_EQ(rate.carried().bytes, 0U);
}

TEST_F(DeliveryRateTest, is_what_was_delivered_where_nothing_queues) {
    for (int i = 0; i < 4; ++i) round(20);
    EXPECT_EQ(rate.carried().bytes, 20'000U);
    for (int i = 0; i < 4; ++i) round(20, kUnqueued, 1);  // lost at random
    EXPECT_EQ(rate.carried().bytes, 19'000U);
    for (int i = 0; i < 4; ++i) round(20, kUnqueued / 100);  // no less than a round trip counts
    EXPECT_EQ(rate.carried().bytes, 20'000U);
    EXPECT_FALSE(rate.carried().queued);
}

TEST_F(DeliveryRateTest, leaves_out_what_stands_in_a_queue) {
    for (int i = 0; i < 4; ++i) round(20, 2 * kUnqueued);
    EXPECT_EQ(rate.carried().bytes, 10'000U);
    EXPECT_TRUE(rate.carried().queued);
    round(20);
    EXPECT_FALSE(rate.carried().queued);
}

TEST_F(DeliveryRateTest, one_quiet_round_trip_says_little) {
    for (int i = 0; i < 4; ++i) round(20);
    round(1);
    round(1);
    EXPECT_EQ(rate.carried().bytes, 15'000U);
    for (int i = 0; i < 20; ++i) round(1);
    EXPECT_EQ(rate.carried().bytes, 1'000U);
}

TEST_F(DeliveryRateTest, numbers_and_time_pass_the_32_bit_limit) {
    next = 0xffff'ffe0U;
    now = Instant{microseconds{0xffff'0000}};
    for (int i = 0; i < 20; ++i) round(4);
    EXPECT_EQ(rate.carried().bytes, 4'000U);
}

}  // namespace
}  // namespace dunlin::link
