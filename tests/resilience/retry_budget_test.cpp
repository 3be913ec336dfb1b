#include <dunlin/resilience/retry_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dunlin::resilience {
namespace {

constexpr Instant kStart = Instant{} + Duration{std::int64_t{500'000} << 11};
constexpr Instant at(std::int64_t ms) { return kStart + milliseconds{ms}; }

struct Budget : testing::Test {
    std::int64_t take_all(Instant now) {
        std::int64_t taken = 0;
        while (taken < 1000 && budget.take(now, random)) ++taken;
        return taken;
    }
    void spend(Instant now) {
        const std::int64_t taken = take_all(now);
        EXPECT_LE(taken, RetryBudget::kBurst);
        EXPECT_GE(taken, RetryBudget::kBurst * 2 / 3);
    }
    Random random{1};
    RetryBudget budget;
};

TEST_F(Budget, allows_a_burst_and_then_at_most_ten_a_second) {
    spend(at(0));
    EXPECT_GT(budget.wait(at(0)), Duration{0});
    std::int64_t taken = 0;
    for (int ms = 1; ms <= 60'000; ++ms) taken += take_all(at(ms));
    EXPECT_LE(taken, 600);
    EXPECT_GE(taken, 420);  // 8 a second on average
}

TEST_F(Budget, says_how_long_to_wait) {
    spend(at(0));
    const Duration waits = budget.wait(at(0));
    EXPECT_LE(waits, RetryBudget::kTimePerRetry * 3 / 2);
    EXPECT_FALSE(budget.take(at(0) + waits - milliseconds{3}, random));
    EXPECT_EQ(budget.wait(at(0) + waits), Duration{0});
    EXPECT_TRUE(budget.take(at(0) + waits, random));
}

TEST_F(Budget, saves_up_no_more_than_its_burst) {
    spend(at(0));
    spend(at(60'000));
    for (int i = 0; i < 1000; ++i) budget.on_sent(at(120'000));
    spend(at(120'000));
}

TEST_F(Budget, ten_first_attempts_pay_for_one_retry) {
    spend(at(0));
    std::int64_t taken = 0;
    for (int i = 0; i < 10'000; ++i) {
        budget.on_sent(at(0));
        taken += take_all(at(0));
    }
    EXPECT_LE(taken, 1000);
    EXPECT_GE(taken, 750);
}

TEST_F(Budget, those_spent_at_the_same_moment_are_not_in_step_for_long) {
    RetryBudget other;
    std::vector<std::int64_t> apart;
    Instant last{};
    for (int ms = 0; ms <= 20'000; ++ms) {
        if (other.take(at(ms), random)) last = at(ms);
        if (budget.take(at(ms), random) && ms > 4'000) apart.push_back((at(ms) - last) / milliseconds{1});
    }
    EXPECT_GT(apart.size(), 100U);
    EXPECT_LT(std::ranges::count_if(apart, [](std::int64_t ms) { return ms < 10; }), static_cast<std::ptrdiff_t>(apart.size() / 3));
}

TEST_F(Budget, waits_no_longer_than_for_a_token_where_the_low_half_of_time_has_come_round) {
    spend(at(0));
    constexpr Duration kRound{std::int64_t{1} << 27U};
    for (const Duration off : {Duration{-1}, Duration{0}, Duration{1}, Duration{2'000'000}, kRound / 2}) {
        EXPECT_LE(budget.wait(at(0) + kRound + off), RetryBudget::kTimePerRetry * 3 / 2) << off.count();
    }
}

}  // namespace
}  // namespace dunlin::resilience
