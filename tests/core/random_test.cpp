#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <array>

namespace dunlin {
namespace {

// Computed by a separate implementation that gives the reference sequence 11520, 0, 5927040, 70819200 for state 1, 2, 3, 4.
TEST(Random, gives_the_same_numbers_on_every_compiler_for_ever) {
    constexpr std::array<std::uint32_t, 6> kFromZero{0xdec9045dU, 0x9a089d75U, 0xab77bce2U, 0xc4957a85U, 0xbbb49251U, 0x58b1734dU};
    constexpr std::array<std::uint32_t, 6> kFromOne{0x650941baU, 0x54d30301U, 0x25d2f321U, 0x3fabdca9U, 0x2ab8e0a6U, 0xf9890067U};
    constexpr std::array<std::uint32_t, 6> kFrom42{0x69e85a2aU, 0xf843fad0U, 0x0105185fU, 0x8a1f1ea6U, 0xa66be2a9U, 0x9844904eU};
    Random zero(0);
    Random one(1);
    Random forty_two(42);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(zero.next_u32(), kFromZero[i]);
        EXPECT_EQ(one.next_u32(), kFromOne[i]);
        EXPECT_EQ(forty_two.next_u32(), kFrom42[i]);
    }
}

TEST(Random, draws_the_high_half_of_64_bits_first) {
    Random random(1);
    EXPECT_EQ(random.next_u64(), 0x650941ba54d30301U);
    EXPECT_EQ(random.next_nonzero_u64(), 0x25d2f3213fabdca9U);
}

TEST(Random, stays_below_the_bound_and_reaches_every_value_about_equally_often) {
    Random random(5);
    std::array<int, 6> seen{};
    for (int i = 0; i < 60'000; ++i) ++seen[static_cast<std::size_t>(random.below(6))];
    for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);  // five standard deviations
    EXPECT_EQ(random.below(1), 0U);
    for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below((std::uint64_t{1} << 63U) + 1), (std::uint64_t{1} << 63U) + 1);
}

TEST(Random, between_includes_both_ends) {
    Random random(6);
    bool low = false;
    bool high = false;
    for (int i = 0; i < 1000; ++i) {
        const Duration drawn = random.between(microseconds(-2), microseconds(3));
        ASSERT_GE(drawn, microseconds(-2));
        ASSERT_LE(drawn, microseconds(3));
        low = low || drawn == microseconds(-2);
        high = high || drawn == microseconds(3);
    }
    EXPECT_TRUE(low && high);
    EXPECT_EQ(random.between(seconds(1), seconds(1)), seconds(1));
}

TEST(RandomDeathTest, an_empty_range_has_no_number) {
    Random random(1);
    EXPECT_DEATH_IF_SUPPORTED((void)random.below(0), "");
    EXPECT_DEATH_IF_SUPPORTED((void)random.between(seconds(2), seconds(1)), "");
}

}  // namespace
}  // namespace dunlin
