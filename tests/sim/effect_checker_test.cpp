#include <dunlin_sim/checkers/effect_checker.hpp>
#include <sim/checker_input.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

constexpr SubscriptionId kDurable{0x80000001U};

class Effects : public testing::Test {
  protected:
    std::uint64_t keep(std::uint64_t number) { return checker.kept(kNow, {1, 0, NodeId{2}, kDurable, true}, {0, 0, number}); }
    void acknowledge(std::uint64_t number) { checker.acknowledged(kNow, 1, kDurable, {0, 0, number}); }
    void recover(std::uint64_t position) { checker.recovered(kNow, 1, position); }
    void expect_violation() { EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'effects are kept once' violated"))); }
    Verdict verdict;
    EffectChecker checker{verdict};
};

TEST_F(Effects, go_on_from_the_position_that_was_recovered) {
    EXPECT_EQ(keep(1), 1U);
    EXPECT_EQ(keep(2), 2U);
    acknowledge(1);
    recover(1);
    EXPECT_EQ(keep(2), 2U);
    acknowledge(2);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Effects, of_a_message_that_ran_again_are_kept_twice) {
    static_cast<void>(keep(1));
    recover(1);
    static_cast<void>(keep(1));
    expect_violation();
}

TEST_F(Effects, of_what_was_acknowledged_are_not_lost) {
    static_cast<void>(keep(1));
    acknowledge(1);
    recover(0);
    expect_violation();
}

TEST_F(Effects, are_there_when_their_message_is_acknowledged) {
    acknowledge(1);
    expect_violation();
}

TEST_F(Effects, are_not_more_than_there_were) {
    static_cast<void>(keep(1));
    recover(2);
    expect_violation();
}

}  // namespace
}  // namespace dunlin::sim
