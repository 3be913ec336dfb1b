// One replica's state differs (protocol.md §6): that one stops, whoever leads, and the majority goes on.
#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

void hear_state(LoneVoter& voter, std::uint16_t from, std::uint32_t state, std::uint64_t round = 0) {
    const std::uint64_t last = voter.raft().last_index().value();
    voter.hear(from, RecordType::append_reply, wire::AppendReply(voter.raft().term().value(), round, last, 0, 0, kSuccess | state, 0));
}

bool told_to_stop(LoneVoter& voter, std::uint16_t to) {
    voter.advance(milliseconds{100});
    constexpr auto kDiverged = static_cast<std::uint32_t>(wire::AppendFlag::diverged);
    return (voter.last_told<wire::Append>(to, RecordType::append).flags() & kDiverged) != 0;
}

TEST(Divergence, of_a_follower_is_told_to_it_once_a_majority_agrees_with_the_leader) {
    LoneVoter voter;
    voter.lead();
    hear_state(voter, 2, kStateDiffers);
    EXPECT_FALSE(told_to_stop(voter, 2));  // it may be the leader that is wrong
    hear_state(voter, 3, kStateAgrees);
    EXPECT_TRUE(told_to_stop(voter, 2));
    EXPECT_FALSE(told_to_stop(voter, 3));
    EXPECT_EQ(voter.raft().role(), Role::leader);
}

TEST(Divergence, of_the_leader_stops_it_once_both_others_say_so) {
    LoneVoter voter;
    voter.lead();
    hear_state(voter, 2, kStateDiffers);
    EXPECT_EQ(voter.raft().role(), Role::leader);
    hear_state(voter, 3, kStateDiffers);
    EXPECT_EQ(voter.raft().role(), Role::member);
    EXPECT_EQ(voter.raft().stopped(), Status::corrupt);
    EXPECT_FALSE(voter.raft().wants_to_send(NodeId{2}));
}

TEST(Divergence, of_two_voters_stops_the_leader) {
    LoneVoter voter(2);
    voter.lead();
    hear_state(voter, 2, kStateDiffers);
    EXPECT_EQ(voter.raft().stopped(), Status::corrupt);
}

TEST(Divergence, makes_a_follower_count_for_nothing) {
    LoneVoter voter;
    voter.lead();
    hear_state(voter, 2, kStateDiffers);
    const LogIndex commit = voter.raft().commit();
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    voter.sync();
    hear_state(voter, 2, kStateDiffers);
    EXPECT_EQ(voter.raft().commit(), commit);
    const auto hear_it_alone = [&](int heartbeats) {
        for (int i = 0; i < heartbeats; ++i) {
            voter.advance(milliseconds{100});
            hear_state(voter, 2, kStateDiffers);
        }
    };
    hear_it_alone(6);
    voter.raft().hand_over(voter.now);
    EXPECT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());  // leadership goes to nobody
    hear_it_alone(6);
    EXPECT_EQ(voter.raft().role(), Role::follower);  // it heard no majority
}

TEST(Divergence, that_is_over_is_not_believed_again_from_an_answer_that_comes_late) {
    LoneVoter voter;
    voter.lead();
    ASSERT_GE(voter.last_told<wire::Append>(2, RecordType::append).round(), 1U);
    hear_state(voter, 2, kStateAgrees, 1);
    hear_state(voter, 2, kStateDiffers);  // of before it installed the image
    hear_state(voter, 3, kStateDiffers);
    EXPECT_EQ(voter.raft().role(), Role::leader);
}

TEST(Divergence, is_judged_anew_in_each_term) {
    LoneVoter voter;
    voter.lead();
    hear_state(voter, 2, kStateDiffers);
    voter.advance(seconds{2});
    voter.lead();
    hear_state(voter, 3, kStateDiffers);
    EXPECT_EQ(voter.raft().role(), Role::leader);
}

}  // namespace
}  // namespace dunlin::consensus::test
