#include "asio/run_until.hpp"

#include <dunlin_asio/stop_signals.hpp>
#include <dunlin_asio/wake.hpp>

#include <gtest/gtest.h>

#include <asio/signal_set.hpp>
#include <atomic>
#include <csignal>
#include <system_error>
#include <thread>
#include <vector>

namespace dunlin_asio {
namespace {

TEST(Wake, is_felt_on_the_loop_when_another_thread_calls_it) {
    asio::io_context io;
    Wake wake(io);
    EXPECT_FALSE(wake.take());
    for (int round = 0; round < 3; ++round) {
        std::thread other([&] { wake.wake(); });
        EXPECT_TRUE(asio_test::run_until(io, [&] { return wake.take(); }));
        other.join();
        EXPECT_FALSE(wake.take());
    }
}

TEST(Wake, counts_many_calls_as_one) {
    asio::io_context io;
    Wake wake(io);
    for (int i = 0; i < 100; ++i) wake.wake();
    ASSERT_TRUE(asio_test::run_until(io, [&] { return wake.take(); }));
    io.poll();
    EXPECT_FALSE(wake.take());
}

TEST(Wake, misses_no_call_of_many_threads) {
    constexpr std::uint32_t kEach = 20'000;
    asio::io_context io;
    Wake wake(io);
    std::atomic<std::uint32_t> said{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (std::uint32_t i = 0; i < kEach; ++i) {
                said.fetch_add(1, std::memory_order_relaxed);
                wake.wake();
            }
        });
    }
    // The last of what was said must be heard without a wake after it.
    std::uint32_t heard = 0;
    EXPECT_TRUE(asio_test::run_until(io, [&] {
        if (wake.take()) heard = said.load(std::memory_order_relaxed);
        return heard == 3 * kEach;
    }));
    for (std::thread& thread : threads) thread.join();
}

TEST(StopSignals, counts_terminate_and_interrupt) {
    asio::io_context io;
    StopSignals signals(io, dunlin::Duration::zero());
    std::raise(SIGTERM);
    ASSERT_TRUE(asio_test::run_until(io, [&] { return signals.count() == 1; }));
    std::raise(SIGINT);
    EXPECT_TRUE(asio_test::run_until(io, [&] { return signals.count() == 2; }));
    EXPECT_EQ(signals.first(), SIGTERM);
}

TEST(StopSignals, count_what_comes_at_once_as_one_wish) {
    asio::io_context io;
    StopSignals signals(io, dunlin::seconds{3600});
    std::size_t heard = 0;
    asio::signal_set all(io, SIGTERM);
    for (int i = 0; i < 2; ++i) all.async_wait([&](const std::error_code&, int) { ++heard; });
    std::raise(SIGTERM);
    std::raise(SIGTERM);
    ASSERT_TRUE(asio_test::run_until(io, [&] { return heard == 2; }));
    io.poll();  // what is left of them
    EXPECT_EQ(signals.count(), 1U);
}

}  // namespace
}  // namespace dunlin_asio
