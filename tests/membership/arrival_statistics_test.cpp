#include <dunlin/membership/arrival_statistics.hpp>

#include <gtest/gtest.h>

namespace dunlin::membership {
namespace {

TEST(ArrivalStatistics, settle_on_a_steady_interval_with_little_deviation) {
    ArrivalStatistics statistics;
    statistics.reset(milliseconds{500});
    for (int i = 0; i < 100; ++i) statistics.add(milliseconds{200});
    EXPECT_NEAR(static_cast<double>(statistics.mean().count()), 200'000, 100);
    EXPECT_LT(statistics.deviation(), milliseconds{1});
}

TEST(ArrivalStatistics, grow_their_deviation_when_arrivals_turn_irregular) {
    ArrivalStatistics statistics;
    statistics.reset(milliseconds{200});
    for (int i = 0; i < 100; ++i) statistics.add(milliseconds{i % 2 == 0 ? 100 : 300});
    EXPECT_GT(statistics.deviation(), milliseconds{60});
}

TEST(ArrivalStatistics, saturate_instead_of_wrapping) {
    ArrivalStatistics statistics;
    statistics.reset(milliseconds{200});
    for (int i = 0; i < 200; ++i) statistics.add(std::chrono::hours{24 * 365});
    EXPECT_GT(statistics.mean(), std::chrono::hours{1});
    statistics.add(Duration{-5});
    EXPECT_GE(statistics.mean(), Duration::zero());
}

}  // namespace
}  // namespace dunlin::membership
