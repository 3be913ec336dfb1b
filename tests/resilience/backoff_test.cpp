#include <dunlin/resilience/backoff.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::resilience {
namespace {

TEST(Backoff, each_pause_is_uniform_below_a_ceiling_that_doubles_up_to_the_maximum) {
    Random random(1);
    for (std::uint32_t attempt = 0; attempt < 40; ++attempt) {
        const Duration ceiling = attempt < 6 ? milliseconds{50} * (1 << attempt) : Duration{seconds{2}};
        Duration lowest = Duration::max();
        Duration highest{};
        Duration sum{};
        for (int i = 0; i < 2000; ++i) {
            const Duration pause = backoff_pause(random, milliseconds{50}, seconds{2}, attempt);
            ASSERT_GE(pause, Duration{0});
            ASSERT_LE(pause, std::min<Duration>(ceiling, seconds{2}));
            lowest = std::min(lowest, pause);
            highest = std::max(highest, pause);
            sum += pause;
        }
        const Duration top = std::min<Duration>(ceiling, seconds{2});
        EXPECT_LT(lowest, top / 20);
        EXPECT_GT(highest, top - top / 20);
        EXPECT_NEAR(static_cast<double>((sum / 2000).count()), static_cast<double>((top / 2).count()),
                    static_cast<double>((top / 20).count()));
    }
}

TEST(Backoff, counts_its_attempts_without_wrapping_and_starts_over_after_a_reset) {
    Random random(2);
    Backoff backoff;
    for (int i = 0; i < 300; ++i) (void)backoff.next(random, milliseconds{1}, seconds{1000});
    EXPECT_EQ(backoff.attempts(), 255U);
    backoff.reset();
    EXPECT_LE(backoff.next(random, milliseconds{1}, seconds{1}), milliseconds{1});
    EXPECT_EQ(backoff.attempts(), 1U);
}

TEST(Backoff, the_longest_maximum_does_not_overflow) {
    Random random(3);
    EXPECT_GE(backoff_pause(random, microseconds{1}, Duration::max() / 2, 255), Duration{0});
}

}  // namespace
}  // namespace dunlin::resilience
