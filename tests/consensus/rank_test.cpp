#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

#include <map>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

constexpr ProcessLimits kOnBatteries{.election_rank = 2};

class RankTest : public testing::Test {
  protected:
    // Voters 2 and 3 answer the leader for so long, and tell these ranks.
    void answer(LoneVoter& voter, Duration duration, std::uint8_t rank_of_2, std::uint8_t rank_of_3) {
        for (const Instant end = voter.now + duration; voter.now < end && voter.raft().role() == Role::leader;) {
            voter.advance(milliseconds{100});
            for (const std::uint16_t from : {std::uint16_t{2}, std::uint16_t{3}}) {
                const std::uint8_t rank = from == 2 ? rank_of_2 : rank_of_3;
                for (const Told& record : voter.told(from)) ordered_[from] = ordered_[from] || record.type == RecordType::timeout_now;
                const std::uint64_t match = from == behind_ ? 1 : voter.raft().last_index().value();
                voter.hear(from, RecordType::append_reply,
                           wire::AppendReply(voter.raft().term().value(), 0, match, 0, 0, kSuccess, rank, 0, 0));
            }
        }
    }
    [[nodiscard]] bool ordered(std::uint16_t voter) const { return ordered_.contains(voter) && ordered_.at(voter); }

    std::uint16_t behind_ = 0;
    std::map<std::uint16_t, bool> ordered_;
};

TEST_F(RankTest, campaigns_later_by_half_the_spread_for_each_rank) {
    for (const std::uint8_t rank : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{3}}) {
        const LoneVoter voter(3, StorageId{101}, {.election_rank = rank});
        const Duration wait = voter.process->consensus.next_deadline() - voter.now;
        EXPECT_GE(wait, milliseconds{500 + 250 * rank});
        EXPECT_LE(wait, milliseconds{1000 + 250 * rank});
    }
}

TEST_F(RankTest, a_leader_hands_over_to_a_voter_of_a_better_rank) {
    LoneVoter voter(3, StorageId{101}, kOnBatteries);
    voter.lead();
    answer(voter, kRankPatience - milliseconds{200}, 1, 0);
    EXPECT_FALSE(ordered(2) || ordered(3));
    answer(voter, milliseconds{500}, 1, 0);
    EXPECT_FALSE(ordered(2));
    EXPECT_TRUE(ordered(3));
}

TEST_F(RankTest, a_leader_stays_where_no_better_one_has_what_is_committed) {
    LoneVoter voter(3, StorageId{101}, kOnBatteries);
    voter.lead();
    behind_ = 3;
    answer(voter, kRankPatience - milliseconds{300}, 2, 0);
    for (int i = 0; i < 6; ++i) {
        answer(voter, milliseconds{100}, 2, 0);
        EXPECT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("goes on")).ok());
        voter.sync();
    }
    EXPECT_FALSE(ordered(2) || ordered(3));
}

TEST_F(RankTest, a_leader_of_the_best_rank_stays) {
    LoneVoter voter;
    voter.lead();
    answer(voter, kRankPatience * 2, 0, 0);
    EXPECT_FALSE(ordered(2) || ordered(3));
}

TEST_F(RankTest, of_those_that_are_as_far_the_better_rank_gets_a_planned_handover) {
    LoneVoter voter;
    voter.lead();
    answer(voter, milliseconds{300}, 2, 1);
    ASSERT_TRUE(voter.raft().hand_over(voter.now));
    answer(voter, milliseconds{200}, 2, 1);
    EXPECT_FALSE(ordered(2));
    EXPECT_TRUE(ordered(3));
}

TEST_F(RankTest, a_follower_tells_its_own) {
    LoneVoter voter(3, StorageId{101}, kOnBatteries);
    voter.hear_append(2, 2, 1, 1, 0, {});
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::AppendReply>(2, RecordType::append_reply).rank(), 2U);
}

}  // namespace
}  // namespace dunlin::consensus::test
