#include <dunlin_sim/network.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace dunlin::sim {
namespace {

constexpr int kCount = 20'000;

class NetworkTest : public testing::Test {
  protected:
    // Sends kCount datagrams, and gives the moments at which they arrive, in order of sending; duplicates come last.
    void send_all(std::uint32_t from = 0, std::uint32_t to = 1) {
        for (int i = 0; i < kCount; ++i) network.send(Instant{}, from, to, 0, payload);
        while (!queue.empty()) {
            const Occurrence arrival = queue.pop();
            delays.push_back(arrival.at - Instant{});
            const auto bytes = network.bytes(arrival.payload);
            for (std::size_t i = 0; i < bytes.size(); ++i) flipped += std::popcount(std::to_integer<unsigned>(bytes[i] ^ payload[i]));
            network.release(arrival.payload);
        }
    }
    std::vector<std::byte> payload = std::vector<std::byte>(100, std::byte{0x5a});
    EventQueue queue{1};
    Network network{2, 3, queue};
    std::vector<Duration> delays;
    int flipped = 0;
};

TEST_F(NetworkTest, delivers_everything_within_its_delays_when_nothing_is_wrong) {
    send_all();
    EXPECT_EQ(delays.size(), static_cast<std::size_t>(kCount));
    EXPECT_GE(delays.front(), network.faults.delay_min);
    EXPECT_LE(delays.back(), network.faults.delay_max);
    EXPECT_EQ(flipped, 0);
}

TEST_F(NetworkTest, loses_the_share_that_was_asked_for) {
    network.faults.loss_ppm = 200'000;
    send_all();
    EXPECT_NEAR(static_cast<double>(delays.size()), kCount * 0.8, kCount * 0.02);
    EXPECT_EQ(network.counts().lost, kCount - delays.size());
}

TEST_F(NetworkTest, delivers_some_datagrams_twice) {
    network.faults.duplicate_ppm = 100'000;
    send_all();
    EXPECT_NEAR(static_cast<double>(delays.size()), kCount * 1.1, kCount * 0.02);
}

TEST_F(NetworkTest, flips_one_bit_of_a_corrupted_datagram) {
    network.faults.corrupt_ppm = 50'000;
    send_all();
    EXPECT_NEAR(flipped, kCount * 0.05, kCount * 0.01);
    EXPECT_EQ(static_cast<std::uint64_t>(flipped), network.counts().corrupted);
}

TEST_F(NetworkTest, holds_some_datagrams_back_for_longer) {
    network.faults.late_ppm = 100'000;
    send_all();
    const auto late = std::ranges::count_if(delays, [&](Duration delay) { return delay > network.faults.delay_max; });
    EXPECT_NEAR(static_cast<double>(late), kCount * 0.1, kCount * 0.02);
    EXPECT_LE(delays.back(), network.faults.delay_max + network.faults.late_max);
}

TEST_F(NetworkTest, clogs_one_direction_until_healed) {
    network.clog(0, 1, seconds{1});
    send_all();
    EXPECT_GE(delays.front(), seconds{1});
    EXPECT_EQ(network.counts().clogged, static_cast<std::uint64_t>(kCount));
    for (const auto& [from, to] : {std::pair{1U, 0U}, std::pair{0U, 1U}}) {
        delays.clear();
        network.heal();
        send_all(from, to);
        EXPECT_LE(delays.back(), network.faults.delay_max);
    }
}

TEST_F(NetworkTest, takes_longer_and_drops_what_waits_too_long_on_a_thin_line) {
    network.faults.bytes_per_s = 100'000;  // a thousand of these datagrams
    send_all();
    EXPECT_EQ(delays.size(), 101U);  // those of 100 ms, and the one that finds the line just free enough
    EXPECT_GE(delays.back(), milliseconds{100});
    EXPECT_EQ(network.counts().congested, kCount - delays.size());
    delays.clear();
    network.send(Instant{seconds{1}}, 0, 1, 0, payload);
    EXPECT_EQ(network.counts().congested, kCount - 101U);
}

TEST_F(NetworkTest, loses_datagrams_that_are_too_long_for_the_path) {
    network.faults.datagram_bytes_max = 99;
    send_all();
    EXPECT_TRUE(delays.empty());
    EXPECT_EQ(network.counts().too_long, static_cast<std::uint64_t>(kCount));
    network.faults.datagram_bytes_max = 100;
    send_all();
    EXPECT_EQ(delays.size(), static_cast<std::size_t>(kCount));
}

TEST_F(NetworkTest, cuts_one_direction_alone) {
    network.cut(0, 1, true);
    send_all(0, 1);
    EXPECT_TRUE(delays.empty());
    send_all(1, 0);
    EXPECT_EQ(delays.size(), static_cast<std::size_t>(kCount));
}

TEST_F(NetworkTest, isolates_a_process_until_healed) {
    network.isolate(1, true);
    send_all(0, 1);
    send_all(1, 2);
    EXPECT_TRUE(delays.empty());
    network.heal();
    send_all(0, 1);
    EXPECT_EQ(delays.size(), static_cast<std::size_t>(kCount));
}

TEST_F(NetworkTest, delivers_old_datagrams_again_over_the_path_that_they_took) {
    network.repeat_old(Instant{}, 5, 1);
    EXPECT_TRUE(queue.empty());  // nothing was remembered
    network.remember_some();
    network.send(Instant{}, 0, 1, 0, payload);
    while (!queue.empty()) network.release(queue.pop().payload);
    network.repeat_old(Instant{seconds{1}}, 5, 1);
    EXPECT_EQ(network.counts().repeated, 5U);
    for (int i = 0; i < 5; ++i) {
        const Occurrence arrival = queue.pop();
        EXPECT_EQ(arrival.process, 1U);
        EXPECT_EQ(network.sender(arrival.payload), 0U);
        EXPECT_TRUE(std::ranges::equal(network.bytes(arrival.payload), payload));
        EXPECT_GE(arrival.at, Instant{seconds{1}});
    }
}

TEST_F(NetworkTest, keeps_apart_who_is_severed_whatever_is_healed) {
    network.sever(0, 1, true);
    network.heal();
    send_all(0, 1);
    send_all(1, 0);
    EXPECT_TRUE(delays.empty());
    network.sever(0, 1, false);
    send_all(0, 1);
    EXPECT_EQ(delays.size(), static_cast<std::size_t>(kCount));
}

TEST(EventQueueTest, orders_simultaneous_events_as_the_seed_says) {
    const auto order = [](std::uint64_t seed) {
        EventQueue queue(seed);
        for (std::uint32_t i = 0; i < 50; ++i) queue.push({.at = Instant{}, .process = i});
        std::vector<std::uint32_t> processes;
        while (!queue.empty()) processes.push_back(queue.pop().process);
        return processes;
    };
    EXPECT_EQ(order(1), order(1));
    EXPECT_NE(order(1), order(2));
    EXPECT_FALSE(std::ranges::is_sorted(order(1)));
}

}  // namespace
}  // namespace dunlin::sim
