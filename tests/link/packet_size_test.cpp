#include <dunlin/link/packet_size.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace dunlin::link {
namespace {

// A path that carries so many bytes, and the sender's view of it.
struct Path : testing::Test {
    void open(std::uint16_t bound) { size.reset(now, bound, 576); }
    // Time, probes and what becomes of them, for so long.
    void run(Duration time) {
        const Instant end = now + time;
        while (size.next_deadline(now) <= end) {
            now = std::max(now, size.next_deadline(now));
            size.on_timeout(now);
            if (!size.probe_owed()) continue;
            probes.push_back(size.probe_bytes());
            size.on_probe_sent();
            const bool arrives = probes.back() <= carries;
            now += milliseconds{10};
            if (arrives ? size.on_acked(now, probes.back(), true) == PacketSize::Change::raised : false) ++raised;
            if (!arrives) (void)size.on_lost(now, probes.back(), true);
        }
        now = end;
    }
    bool lose(std::uint32_t bytes, int times) {
        bool lowered = false;
        for (int i = 0; i < times; ++i) lowered |= size.on_lost(now, bytes, false) == PacketSize::Change::lowered;
        return lowered;
    }

    PacketSize size;
    Instant now{seconds{1000}};
    std::uint16_t carries = 1500;
    std::vector<std::uint16_t> probes;
    int raised = 0;
};

TEST_F(Path, starts_at_1200_bytes_or_below_where_the_session_allows_no_more) {
    open(1472);
    EXPECT_EQ(size.size(), 1200);
    open(1000);
    EXPECT_EQ(size.size(), 1000);
    open(576);
    EXPECT_EQ(size.size(), 576);
    run(std::chrono::hours{1});
    EXPECT_TRUE(probes.empty());
}

TEST_F(Path, is_raised_to_the_bound_by_one_probe_where_it_carries_that) {
    open(1472);
    run(seconds{1});
    EXPECT_EQ(probes, (std::vector<std::uint16_t>{1472}));
    EXPECT_EQ(size.size(), 1472);
    run(std::chrono::hours{1});
    EXPECT_EQ(probes.size(), 1U);
}

TEST_F(Path, is_found_to_32_bytes_by_three_probes_a_size_where_it_is_narrower) {
    for (carries = 1200; carries < 1472; carries = static_cast<std::uint16_t>(carries + 8)) {
        probes.clear();
        open(1472);
        run(seconds{60});
        EXPECT_LE(size.size(), carries);
        EXPECT_GT(size.size() + 40, carries);
        EXPECT_LE(probes.size(), 18U);
        EXPECT_EQ(std::vector<std::uint16_t>(probes.begin(), probes.begin() + 3), (std::vector<std::uint16_t>{1472, 1472, 1472}));
    }
}

TEST_F(Path, is_tried_again_after_ten_minutes) {
    carries = 1300;
    open(1472);
    run(seconds{60});
    EXPECT_LE(size.size(), 1300);
    const std::size_t before = probes.size();
    carries = 1500;
    run(std::chrono::minutes{9});
    EXPECT_EQ(probes.size(), before);
    run(std::chrono::minutes{2});
    EXPECT_EQ(size.size(), 1472);
}

TEST_F(Path, has_the_same_deadline_for_whoever_looks_from_some_time_before) {
    carries = 1300;
    open(1472);
    run(seconds{60});
    const Instant due = size.next_deadline(now);
    EXPECT_GT(due, now + std::chrono::minutes{9});
    for (const Duration ago : {Duration{seconds{3}}, Duration{std::chrono::minutes{2}}}) EXPECT_EQ(size.next_deadline(now - ago), due);
    EXPECT_LE(size.next_deadline(due + std::chrono::minutes{20}), due + std::chrono::minutes{20});
}

TEST_F(Path, is_a_black_hole_where_eight_long_packets_vanish_in_a_row_while_a_short_one_arrives) {
    open(1200);
    EXPECT_FALSE(lose(1200, 7));
    EXPECT_EQ(size.on_acked(now, 80, false), PacketSize::Change::none);
    EXPECT_TRUE(lose(1200, 1));
    EXPECT_EQ(size.size(), 576);
    EXPECT_FALSE(lose(1200, 20));  // sent before
    EXPECT_FALSE(lose(576, 20));   // and there is nothing shorter
    EXPECT_EQ(size.size(), 576);
}

TEST_F(Path, falls_to_1200_bytes_first) {
    open(1472);
    run(seconds{1});
    (void)size.on_acked(now, 1200, false);
    EXPECT_TRUE(lose(1472, 8));
    EXPECT_EQ(size.size(), 1200);
    EXPECT_FALSE(lose(1472, 20));  // sent before
    (void)size.on_acked(now, 576, false);
    EXPECT_TRUE(lose(1200, 8));
    EXPECT_EQ(size.size(), 576);
}

TEST_F(Path, is_no_black_hole_where_nothing_arrives_or_where_one_long_packet_does) {
    open(1200);
    EXPECT_FALSE(lose(1200, 100));
    (void)size.on_acked(now, 1200, false);
    EXPECT_FALSE(lose(1200, 7));
    (void)size.on_acked(now, 80, false);
    (void)size.on_acked(now, 1200, false);
    EXPECT_FALSE(lose(1200, 7));
    EXPECT_FALSE(lose(80, 100));
    EXPECT_EQ(size.size(), 1200);
}

TEST_F(Path, that_was_lowered_is_tried_again_after_half_a_minute_step_by_step) {
    open(1472);
    run(seconds{1});
    carries = 700;
    for (const std::uint32_t bytes : {1472U, 1200U}) {
        (void)size.on_acked(now, 80, false);
        EXPECT_TRUE(lose(bytes, 8));
    }
    ASSERT_EQ(size.size(), 576);
    probes.clear();
    run(seconds{25});
    EXPECT_TRUE(probes.empty());
    run(seconds{60});
    EXPECT_EQ(probes.front(), 1200);
    EXPECT_LE(size.size(), 700);
    EXPECT_GT(size.size(), 660);
    carries = 1500;
    run(std::chrono::minutes{12});
    EXPECT_EQ(size.size(), 1472);
}

TEST_F(Path, takes_the_news_of_a_probe_of_before_for_no_more_than_a_packet) {
    open(1472);
    now += seconds{1};
    size.on_timeout(now);
    ASSERT_TRUE(size.probe_owed());
    EXPECT_EQ(size.on_acked(now, 1472, true), PacketSize::Change::none);  // it has not left
    size.on_probe_sent();
    EXPECT_EQ(size.on_acked(now, 1336, true), PacketSize::Change::none);
    EXPECT_EQ(size.on_acked(now, 1472, true), PacketSize::Change::raised);
    EXPECT_EQ(size.on_acked(now, 1472, true), PacketSize::Change::none);
    EXPECT_EQ(size.size(), 1472);
}

}  // namespace
}  // namespace dunlin::link
