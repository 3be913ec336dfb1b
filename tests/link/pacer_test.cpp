#include <dunlin/link/pacer.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

// 100 packets of 1,000 bytes a round trip of 100 ms, and a quarter more: one each 800 us.
constexpr PacingRate kRate{.window = 100'000, .packet_bytes = 1'000, .round_trip = milliseconds{100}};

struct PacerTest : testing::Test {
    Pacer pacer;
    Instant now{seconds{5}};

    Instant last{seconds{5}};

    PacerTest() { pacer.reset(kRate.packet_bytes); }
    void send(const PacingRate& rate = kRate, std::uint32_t bytes = 1'000) {
        pacer.on_sent(now - last, bytes, rate);
        last = now;
    }
    [[nodiscard]] Instant ready_at(const PacingRate& rate = kRate) const { return last + pacer.wait(rate); }
    [[nodiscard]] bool ready(const PacingRate& rate = kRate) const { return ready_at(rate) <= now; }
};

TEST_F(PacerTest, lets_ten_packets_go_in_a_burst_and_then_five_quarters_of_a_window_a_round_trip) {
    int burst = 0;
    for (; ready(); ++burst) send();
    EXPECT_EQ(burst, 10);
    EXPECT_EQ(ready_at(), now + microseconds{800});

    const Instant end = now + milliseconds{100};
    int sent = 0;
    for (; ready_at() <= end; ++sent) {
        now = ready_at();
        send();
    }
    EXPECT_EQ(sent, 125);
}

TEST_F(PacerTest, silence_fills_the_bucket_and_no_more) {
    while (ready()) send();
    now += seconds{3600};
    int burst = 0;
    for (; ready(); ++burst) send();
    EXPECT_EQ(burst, 10);
}

TEST_F(PacerTest, what_flows_in_two_milliseconds_goes_in_one_burst) {
    const PacingRate fast{.window = 1'000'000, .packet_bytes = 1'000, .round_trip = milliseconds{20}};
    send(fast);
    now += seconds{1};
    int burst = 0;
    for (; ready(fast); ++burst) send(fast);
    EXPECT_EQ(burst, 100);
}

TEST_F(PacerTest, what_control_sends_unasked_is_owed) {
    while (ready()) send();
    send();
    EXPECT_EQ(ready_at(), now + microseconds{1'600});
    send();  // no more than a packet: a flood of control does not stop the messages
    EXPECT_EQ(ready_at(), now + microseconds{1'600});
}

TEST_F(PacerTest, short_round_trips_and_small_windows_are_not_paced) {
    const PacingRate near{.window = 100'000, .packet_bytes = 1'000, .round_trip = milliseconds{2}};
    const PacingRate small{.window = 10'000, .packet_bytes = 1'000, .round_trip = milliseconds{100}};
    for (int i = 0; i < 1000; ++i) {
        send(near);
        ASSERT_EQ(pacer.wait(near), Duration{0});
        send(small);
        ASSERT_EQ(pacer.wait(small), Duration{0});
    }
}

TEST_F(PacerTest, a_round_trip_of_the_longest_and_a_window_of_the_largest_do_not_overflow) {
    const PacingRate huge{.window = 1U << 30U, .packet_bytes = 1'472, .round_trip = microseconds{0xffff'ffff}};
    pacer.reset(huge.packet_bytes);
    for (int i = 0; i < 20; ++i) {
        now = std::max(now, ready_at(huge));
        send(huge, 1'472);
    }
    EXPECT_LT(now, Instant{seconds{5}} + seconds{1});
    now += seconds{100'000};
    send(huge, 1'472);
    EXPECT_TRUE(ready(huge));
}

}  // namespace
}  // namespace dunlin::link
