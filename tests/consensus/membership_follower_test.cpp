// One member at a time: what a follower and a candidate do with changes of members. The leader's side: membership_test.cpp.
#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

// ---- At a follower

TEST(MembershipFollower, counts_from_the_entry_on_and_is_what_it_was_when_that_is_lost) {
    struct Case {
        ChangeOp op;
        std::uint16_t node;
        Standing before, after;
    };
    for (const Case& at :
         {Case{ChangeOp::add_learner, 5, Standing::none, Standing::learner}, Case{ChangeOp::promote, 4, Standing::learner, Standing::voter},
          Case{ChangeOp::demote, 2, Standing::voter, Standing::learner}, Case{ChangeOp::remove, 3, Standing::voter, Standing::none},
          Case{ChangeOp::remove, 1, Standing::voter, Standing::none}, Case{ChangeOp::demote, 1, Standing::voter, Standing::learner}}) {
        LoneVoter voter;
        voter.hear_append(2, 2, 1, 1, 2, {change_entry(2, ChangeOp::add_learner, 4)});
        ASSERT_EQ(voter.standing(4), Standing::learner);
        voter.hear_append(2, 2, 2, 2, 2, {{2, 0, "x"}, change_entry(2, at.op, at.node)});
        EXPECT_EQ(voter.standing(at.node), at.after);
        voter.sync();
        voter.hear_append(3, 3, 2, 2, 2, {{3, 0, "y"}});
        EXPECT_EQ(voter.standing(at.node), at.before);
        EXPECT_EQ(voter.raft().member_count(), 4U);
        voter.hear_append(3, 3, 3, 3, 3, {change_entry(3, ChangeOp::remove, 4)});  // as the rows are again
        EXPECT_EQ(voter.standing(4), Standing::none);
        EXPECT_EQ(voter.raft().stopped(), Status::ok);
    }
}

TEST(MembershipFollower, stays_where_the_entry_that_is_lost_came_after_it) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 1, {change_entry(2, ChangeOp::add_learner, 4), {2, 0, "x"}});
    voter.hear_append(3, 3, 2, 2, 1, {{3, 0, "y"}});
    EXPECT_EQ(voter.standing(4), Standing::learner);
    voter.hear_append(3, 3, 3, 3, 2, {});
    voter.hear_append(2, 4, 2, 2, 2, {{4, 0, "z"}});
    EXPECT_EQ(voter.standing(4), Standing::learner);
}

TEST(MembershipFollower, takes_several_changes_in_one_append) {
    LoneVoter voter;
    voter.hear_append(
        2, 2, 1, 1, 2,
        {change_entry(2, ChangeOp::add_learner, 4), change_entry(2, ChangeOp::promote, 4), change_entry(2, ChangeOp::remove, 3)});
    EXPECT_EQ(voter.standing(4), Standing::voter);
    EXPECT_EQ(voter.standing(3), Standing::none);
    voter.sync();
    voter.hear_append(4, 3, 3, 2, 3, {{3, 0, "y"}});
    EXPECT_EQ(voter.standing(3), Standing::voter);  // only the last one was not committed
    EXPECT_EQ(voter.standing(4), Standing::voter);
}

TEST(MembershipFollower, changed_as_nobody_can_stops_the_replica) {
    for (const EntrySpec& entry :
         {change_entry(2, ChangeOp::add_learner, 3), change_entry(2, ChangeOp::promote, 9), EntrySpec{2, 0, "short", EntryType::members}}) {
        LoneVoter voter;
        voter.hear_append(2, 2, 1, 1, 1, {entry});
        EXPECT_EQ(voter.raft().stopped(), Status::corrupt);
        EXPECT_EQ(voter.raft().last_index().value(), 1U);
    }
}

TEST(MembershipFollower, is_known_again_after_a_restart) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 3, {change_entry(2, ChangeOp::add_learner, 4), {2, 0, "x"}, change_entry(2, ChangeOp::promote, 4)});
    voter.sync();
    voter.crash_and_restart();
    EXPECT_EQ(voter.standing(4), Standing::voter);
    voter.hear_append(3, 3, 3, 2, 3, {{3, 0, "y"}});  // and what it was is known, too
    EXPECT_EQ(voter.standing(4), Standing::learner);
    voter.sync();
    voter.crash_and_restart();
    EXPECT_EQ(voter.standing(4), Standing::learner);
}

TEST(MembershipFollower, is_known_again_after_a_restart_with_a_log_longer_than_the_ring) {
    LoneVoter voter(3, StorageId{101}, {.log_entries = 16});
    voter.hear_append(2, 2, 1, 1, 2, {change_entry(2, ChangeOp::add_learner, 4)});
    voter.sync();
    for (std::uint64_t index = 3; index < 60; ++index) {
        voter.hear_append(2, 2, index - 1, 2, index, {{2, 0, "x"}});
        voter.sync();
    }
    voter.hear_append(2, 2, 59, 2, 59, {change_entry(2, ChangeOp::promote, 4)});
    voter.sync();
    ASSERT_FALSE(voter.raft().log().contains(LogIndex{2}));
    voter.crash_and_restart();
    EXPECT_EQ(voter.standing(4), Standing::voter);
    EXPECT_EQ(voter.raft().member_count(), 4U);
}

// ---- At who votes no more, or not yet

TEST(MembershipFollower, who_is_no_voter_does_not_campaign) {
    for (const ChangeOp op : {ChangeOp::demote, ChangeOp::remove}) {
        LoneVoter voter;
        voter.hear_append(2, 2, 1, 1, 2, {change_entry(2, op, 1)});
        voter.sync();
        voter.advance(seconds{10});
        EXPECT_EQ(voter.raft().role(), Role::follower);
        EXPECT_EQ(voter.process->counters.get(Counter::pre_votes_started), 0U);
    }
}

TEST(MembershipFollower, who_may_be_the_only_one_to_know_of_its_removal_campaigns_without_its_own_vote) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 1, {change_entry(2, ChangeOp::remove, 1)});
    voter.sync();
    voter.advance(seconds{2});
    ASSERT_EQ(voter.raft().role(), Role::pre_candidate);
    const std::uint64_t term = voter.raft().term().value();
    const auto grant = [&](std::uint16_t from, std::uint64_t of, std::uint32_t flags) {
        voter.hear(from, RecordType::vote_reply, wire::VoteReply(voter.raft().term().value(), of, flags | kGranted, 0));
    };
    grant(2, term + 1, kPreVote);
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);  // one of the two that count
    grant(3, term + 1, kPreVote);
    EXPECT_EQ(voter.raft().role(), Role::candidate);
    voter.sync();
    grant(2, term + 1, 0);
    EXPECT_EQ(voter.raft().role(), Role::candidate);
    grant(3, term + 1, 0);
    EXPECT_EQ(voter.raft().role(), Role::leader);
}

TEST(MembershipFollower, a_candidate_asks_and_counts_voters_alone) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {change_entry(2, ChangeOp::add_learner, 4)});
    voter.sync();
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    EXPECT_FALSE(voter.raft().wants_to_send(NodeId{4}));
    const std::uint64_t term = voter.raft().term().value();
    for (const std::uint16_t from : std::array<std::uint16_t, 2>{4, 5}) {  // a learner, a node that is not known
        voter.hear(from, RecordType::vote_reply, wire::VoteReply(term, term + 1, kPreVote | kGranted, 0));
        EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
    }
    voter.hear(3, RecordType::vote_reply, wire::VoteReply(term, term + 1, kPreVote | kGranted, 0), {}, 999);  // on another storage
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
    EXPECT_EQ(voter.process->counters.get(Counter::votes_ignored_storage), 1U);
    voter.hear(3, RecordType::vote_reply, wire::VoteReply(term, term + 1, kPreVote | kGranted, 0));
    EXPECT_EQ(voter.raft().role(), Role::candidate);
}

TEST(MembershipFollower, a_learner_that_is_asked_votes_for_it_may_be_a_voter_by_now) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {change_entry(2, ChangeOp::demote, 1)});
    voter.sync();
    voter.advance(seconds{1});
    voter.hear_vote_request(3, 3, 2, 2);
    voter.sync();
    const auto reply = voter.last_told<wire::VoteReply>(3, RecordType::vote_reply);
    EXPECT_NE(reply.flags() & kGranted, 0U);
    voter.crash_and_restart();
    voter.hear_vote_request(2, 3, 9, 2);  // one vote a term, whoever it is
    EXPECT_EQ(voter.last_told<wire::VoteReply>(2, RecordType::vote_reply).flags() & kGranted, 0U);
}

}  // namespace
}  // namespace dunlin::consensus::test
