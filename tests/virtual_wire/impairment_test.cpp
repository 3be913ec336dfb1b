#include <impairment.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace dunlin_wire {
namespace {

constexpr PortIndex kA{0};
constexpr PortIndex kB{1};

using Drawn = std::tuple<bool, bool, std::int64_t, std::int64_t>;
using dunlin::microseconds;

std::vector<Drawn> draw(Impairment& impairment, PortIndex from, PortIndex to, int count) {
    std::vector<Drawn> drawn;
    for (int i = 0; i < count; ++i) {
        const Fate fate = impairment.next(from, to);
        drawn.emplace_back(fate.lost, fate.twice, dunlin::to_us(fate.delay), dunlin::to_us(fate.second_delay));
    }
    return drawn;
}

constexpr ImpairmentSettings kSome{
    .loss_ppm = 200'000, .duplicate_ppm = 100'000, .delay_min = microseconds{100}, .delay_max = microseconds{900}};

Impairment with_some(std::uint64_t seed) {
    Impairment impairment(3, seed);
    impairment.settings = kSome;
    return impairment;
}

TEST(Impairment, the_same_seed_draws_the_same_and_another_one_something_else) {
    Impairment one = with_some(7);
    Impairment same = with_some(7);
    Impairment other = with_some(8);
    const std::vector<Drawn> drawn = draw(one, kA, kB, 200);
    EXPECT_EQ(drawn, draw(same, kA, kB, 200));
    EXPECT_NE(drawn, draw(other, kA, kB, 200));
}

TEST(Impairment, what_happens_on_one_way_depends_on_no_other_way) {
    Impairment alone = with_some(7);
    Impairment mixed = with_some(7);
    const std::vector<Drawn> drawn = draw(alone, kA, kB, 100);
    std::vector<Drawn> drawn_back;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(draw(mixed, kA, kB, 1).front(), drawn[static_cast<std::size_t>(i)]);
        drawn_back.push_back(draw(mixed, kB, kA, 1).front());
    }
    EXPECT_NE(drawn_back, drawn);
}

TEST(Impairment, what_was_set_before_changes_nothing_about_what_comes) {
    Impairment one = with_some(7);
    Impairment other = with_some(7);
    other.settings = {};
    const std::vector<Drawn> before = draw(one, kA, kB, 50);
    EXPECT_NE(before, draw(other, kA, kB, 50));
    other.settings = one.settings;
    EXPECT_EQ(draw(one, kA, kB, 50), draw(other, kA, kB, 50));
}

TEST(Impairment, more_loss_loses_what_was_lost_and_more) {
    Impairment few = with_some(7);
    Impairment many = with_some(7);
    many.settings.loss_ppm = 400'000;
    int lost = 0;
    for (int i = 0; i < 1000; ++i) {
        const Fate one = few.next(kA, kB);
        const Fate other = many.next(kA, kB);
        EXPECT_TRUE(other.lost || !one.lost);
        EXPECT_EQ(one.twice, other.twice);
        lost += other.lost ? 1 : 0;
    }
    EXPECT_NEAR(lost, 400, 62);  // four standard deviations
}

TEST(Impairment, shares_come_about_and_none_and_all_are_exact) {
    Impairment impairment = with_some(3);
    int lost = 0;
    int twice = 0;
    for (const auto& [each_lost, each_twice, first, second] : draw(impairment, kA, kB, 20'000)) {
        lost += each_lost ? 1 : 0;
        twice += each_twice ? 1 : 0;
        EXPECT_TRUE(first >= 100 && first <= 900 && second >= 100 && second <= 900);
    }
    EXPECT_NEAR(lost, 4000, 240);
    EXPECT_NEAR(twice, 2000, 180);
    impairment.settings = {};
    for (int i = 0; i < 1'000'000; ++i) {  // one in a million would be one too many
        const Fate fate = impairment.next(kA, kB);
        ASSERT_FALSE(fate.lost || fate.twice || fate.delay != microseconds{0});
    }
    impairment.settings.loss_ppm = ImpairmentSettings::kWhole;
    for (const Drawn& each : draw(impairment, kA, kB, 1000)) EXPECT_TRUE(std::get<0>(each));
}

}  // namespace
}  // namespace dunlin_wire
