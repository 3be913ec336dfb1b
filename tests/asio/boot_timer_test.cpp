#include "asio/run_until.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace dunlin_asio {
namespace {

using dunlin::Instant;
using dunlin::milliseconds;

struct Alarm {
    asio::io_context io;
    int fired = 0;
    BootTimer timer{io, [this] { ++fired; }};
};

TEST(BootTimer, fires_once_and_not_before_its_deadline) {
    Alarm alarm;
    const Instant deadline = boot_now() + milliseconds{20};
    alarm.timer.set(deadline);
    ASSERT_TRUE(asio_test::run_until(alarm.io, [&] { return alarm.fired > 0; }));
    EXPECT_GE(boot_now(), deadline);
    alarm.io.poll();
    EXPECT_EQ(alarm.fired, 1);
}

TEST(BootTimer, fires_at_once_for_a_deadline_that_has_passed) {
    Alarm alarm;
    for (const Instant deadline : {Instant{}, boot_now() - milliseconds{1}}) {
        alarm.fired = 0;
        alarm.timer.set(deadline);
        EXPECT_TRUE(asio_test::run_until(alarm.io, [&] { return alarm.fired == 1; }));
    }
}

TEST(BootTimer, forgets_the_deadline_that_is_replaced) {
    Alarm alarm;
    const Instant later = boot_now() + milliseconds{30};
    alarm.timer.set(boot_now());
    alarm.timer.set(later);
    ASSERT_TRUE(asio_test::run_until(alarm.io, [&] { return alarm.fired > 0; }));
    EXPECT_GE(boot_now(), later);
}

TEST(BootTimer, can_be_stopped_and_set_again) {
    Alarm alarm;
    BootTimer witness(alarm.io, [&] { alarm.io.stop(); });
    alarm.timer.set(boot_now() + milliseconds{5});
    alarm.timer.set(dunlin::kNever);
    witness.set(boot_now() + milliseconds{15});
    alarm.io.run();
    EXPECT_EQ(alarm.fired, 0);
    alarm.timer.set(boot_now() + milliseconds{5});
    EXPECT_TRUE(asio_test::run_until(alarm.io, [&] { return alarm.fired == 1; }));
}

TEST(BootTimer, keeps_the_earlier_of_two_deadlines_set_at_latest) {
    Alarm alarm;
    alarm.timer.set_at_latest(boot_now() + milliseconds{5});
    alarm.timer.set_at_latest(boot_now() + std::chrono::hours{1});
    EXPECT_TRUE(asio_test::run_until(alarm.io, [&] { return alarm.fired == 1; }));
}

TEST(BootTimer, calls_nobody_after_it_is_destroyed_while_waiting) {
    asio::io_context io;
    int fired = 0;
    {
        BootTimer timer(io, [&] { ++fired; });
        timer.set(boot_now());
    }
    io.run();
    EXPECT_EQ(fired, 0);
}

}  // namespace
}  // namespace dunlin_asio
