#include <dunlin/link/congestion_window.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

constexpr std::uint32_t kPacket = 1000;
constexpr Carried kUnknown{};
constexpr Carried queued(std::uint32_t bytes) { return {.bytes = bytes, .queued = true}; }
constexpr Carried unqueued(std::uint32_t bytes) { return {.bytes = bytes, .queued = false}; }

struct CongestionWindowTest : testing::Test {
    CongestionWindow window;
    std::uint32_t next = 1;

    CongestionWindowTest() { window.reset(kPacket); }
    std::uint32_t send() {
        window.on_sent(next, kPacket);
        return next++;
    }
    // A round trip in which the window is used to the full and everything arrives.
    void full_round_trip() {
        const std::uint32_t first = next;
        while (window.fits()) send();
        for (std::uint32_t number = first; number != next; ++number) window.on_acked(number, kPacket);
    }
};

TEST_F(CongestionWindowTest, starts_with_ten_packets_or_14720_bytes_or_two_large_packets) {
    EXPECT_EQ(window.window(), 10'000U);
    window.reset(1472);
    EXPECT_EQ(window.window(), 14'720U);
    window.reset(9000);
    EXPECT_EQ(window.window(), 18'000U);
}

TEST_F(CongestionWindowTest, doubles_each_round_trip_in_slow_start) {
    full_round_trip();
    EXPECT_EQ(window.window(), 20'000U);
    full_round_trip();
    EXPECT_EQ(window.window(), 40'000U);
    EXPECT_TRUE(window.in_slow_start());
}

TEST_F(CongestionWindowTest, grows_by_a_packet_each_round_trip_after_congestion) {
    const std::uint32_t lost = send();
    EXPECT_TRUE(window.on_lost(lost, kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 5'000U);
    EXPECT_FALSE(window.in_slow_start());
    full_round_trip();
    EXPECT_EQ(window.window(), 6'000U);
    full_round_trip();
    EXPECT_EQ(window.window(), 7'000U);
}

TEST_F(CongestionWindowTest, a_window_that_is_not_used_does_not_grow) {
    for (int i = 0; i < 100; ++i) window.on_acked(send(), kPacket);
    EXPECT_EQ(window.window(), 10'000U);
}

TEST_F(CongestionWindowTest, goes_back_to_what_the_path_carries_but_not_below_a_half_nor_above_itself) {
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, queued(8'500)));
    EXPECT_EQ(window.window(), 8'500U);
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, queued(1'000)));
    EXPECT_EQ(window.window(), 4'250U);
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, queued(100'000)));
    EXPECT_EQ(window.window(), 4'250U);
}

TEST_F(CongestionWindowTest, losses_of_one_round_trip_count_once) {
    const std::uint32_t first = send();
    const std::uint32_t second = send();
    EXPECT_TRUE(window.on_lost(first, kPacket, next, kUnknown));
    const std::uint32_t later = send();
    EXPECT_FALSE(window.on_lost(second, kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 5'000U);
    EXPECT_TRUE(window.on_lost(later, kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 2'500U);
}

TEST_F(CongestionWindowTest, what_was_sent_before_the_congestion_makes_it_no_larger) {
    while (window.fits()) send();
    EXPECT_TRUE(window.on_lost(1, kPacket, next, kUnknown));
    for (std::uint32_t number = 2; number != next; ++number) window.on_acked(number, kPacket);
    EXPECT_EQ(window.window(), 5'000U);
}

TEST_F(CongestionWindowTest, where_the_path_carried_more_than_half_it_grows_on_at_once) {
    while (window.fits()) send();
    EXPECT_TRUE(window.on_lost(1, kPacket, next, queued(9'000)));
    EXPECT_EQ(window.window(), 9'000U);
    for (std::uint32_t number = 2; number != next; ++number) window.on_acked(number, kPacket);
    EXPECT_EQ(window.window(), 10'000U);
}

TEST_F(CongestionWindowTest, without_a_queue_it_shrinks_by_what_was_lost_and_grows_on) {
    while (window.fits()) send();
    EXPECT_TRUE(window.on_lost(1, kPacket, next, unqueued(8'000)));
    EXPECT_EQ(window.window(), 9'000U);
    EXPECT_FALSE(window.on_lost(2, kPacket, next, unqueued(8'000)));
    EXPECT_EQ(window.window(), 8'000U);
    for (std::uint32_t number = 3; number != next; ++number) window.on_acked(number, kPacket);
    EXPECT_EQ(window.window(), 9'000U);
}

TEST_F(CongestionWindowTest, without_a_queue_one_round_trip_takes_no_more_than_a_half) {
    while (window.fits()) send();
    for (std::uint32_t number = 1; number != next; ++number) EXPECT_EQ(window.on_lost(number, kPacket, next, unqueued(8'000)), number == 1);
    EXPECT_EQ(window.window(), 5'000U);
    EXPECT_FALSE(window.in_slow_start());
}

TEST_F(CongestionWindowTest, where_less_than_a_half_arrived_it_is_halved_with_or_without_a_queue) {
    while (window.fits()) send();
    EXPECT_TRUE(window.on_lost(1, kPacket, next, unqueued(5'000)));
    EXPECT_EQ(window.window(), 5'000U);
    EXPECT_FALSE(window.on_lost(2, kPacket, next, unqueued(5'000)));
    EXPECT_EQ(window.window(), 5'000U);
}

// One lost of twenty, at random, is one packet off and one on: the window comes to rest near 1 / loss.
TEST_F(CongestionWindowTest, at_5_percent_of_random_loss_it_holds_some_twenty_packets) {
    std::uint64_t sum = 0;
    for (std::uint32_t round = 0; round < 400; ++round) {
        const std::uint32_t first = next;
        while (window.fits()) send();
        const std::uint32_t sent = next - first;
        for (std::uint32_t number = first; number != next; ++number) {
            if (number % 20 == 0) {
                (void)window.on_lost(number, kPacket, next, unqueued((sent - sent / 20) * kPacket));
            } else {
                window.on_acked(number, kPacket);
            }
        }
        if (round >= 200) sum += window.window() / kPacket;
    }
    EXPECT_GE(sum / 200, 17U);
    EXPECT_LE(sum / 200, 45U);
}

TEST_F(CongestionWindowTest, never_falls_below_two_packets) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(window.on_lost(send(), kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 2'000U);
    window.on_persistent_congestion();
    EXPECT_EQ(window.window(), 2'000U);
}

TEST_F(CongestionWindowTest, after_persistent_congestion_slow_start_leads_back_to_where_it_began) {
    full_round_trip();
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 10'000U);
    window.on_persistent_congestion();
    EXPECT_EQ(window.window(), 2'000U);
    EXPECT_TRUE(window.in_slow_start());
    full_round_trip();
    full_round_trip();
    EXPECT_EQ(window.window(), 8'000U);
    full_round_trip();
    EXPECT_FALSE(window.in_slow_start());
}

TEST_F(CongestionWindowTest, what_else_is_lost_of_a_round_trip_that_was_persistent_congestion_makes_it_no_larger) {
    while (window.fits()) send();
    EXPECT_TRUE(window.on_lost(1, kPacket, next, unqueued(8'000)));
    window.on_persistent_congestion();
    EXPECT_FALSE(window.on_lost(2, kPacket, next, unqueued(8'000)));
    EXPECT_EQ(window.window(), 2'000U);
}

TEST_F(CongestionWindowTest, numbers_pass_the_32_bit_limit) {
    for (std::uint32_t far = 0; far < 8; ++far) {  // twice around, in steps below 2^31
        next += 0x4000'0000U;
        window.on_acked(send(), kPacket);
    }
    EXPECT_EQ(window.window(), 10'000U);
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 5'000U);
    next += 0x7000'0000U;
    EXPECT_TRUE(window.on_lost(send(), kPacket, next, kUnknown));
    EXPECT_EQ(window.window(), 2'500U);
}

}  // namespace
}  // namespace dunlin::link
