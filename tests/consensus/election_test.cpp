#include "consensus/lone_voter.hpp"

#include <gmock/gmock.h>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;
using wire::RecordType;

TEST(Election, a_vote_goes_only_to_a_log_that_is_up_to_date) {
    LoneVoter voter;
    voter.hear_append(2, 3, 1, 1, 0, {{3, 1, "x"}});
    voter.sync();
    voter.advance(milliseconds{510});
    const auto flags_for = [&](std::uint64_t term, std::uint64_t index, std::uint64_t last_term) {
        voter.hear_vote_request(3, term, index, last_term);
        voter.sync();
        return voter.last_told<wire::VoteReply>(3, RecordType::vote_reply).flags();
    };
    EXPECT_EQ(flags_for(10, 9, 2), 0U);  // longer, but of an older term
    EXPECT_EQ(flags_for(11, 1, 3), 0U);  // shorter
    EXPECT_EQ(flags_for(12, 2, 3), kGranted);
    EXPECT_EQ(flags_for(13, 1, 4), kGranted);
}

TEST(Election, one_vote_a_term) {
    LoneVoter voter;
    voter.hear_vote_request(2, 5, 1, 1);
    voter.sync();
    voter.hear_vote_request(3, 5, 9, 4);
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteReply>(3, RecordType::vote_reply).flags(), 0U);
}

TEST(Election, a_pre_vote_changes_nothing) {
    LoneVoter voter;
    const JournalSequence before = voter.process->journal.appended();
    voter.hear_vote_request(2, 9, 1, 1, kPreVote);
    EXPECT_EQ(voter.last_told<wire::VoteReply>(2, RecordType::vote_reply).flags(), kPreVote | kGranted);
    EXPECT_EQ(voter.raft().term(), Term{1});
    EXPECT_EQ(voter.process->journal.appended(), before);
}

TEST(Election, a_campaign_without_answers_never_raises_the_term) {
    LoneVoter voter;
    voter.advance(seconds{60});
    EXPECT_EQ(voter.raft().term(), Term{1});
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
}

TEST(Election, who_hears_a_leader_ignores_campaigns) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {});
    voter.sync();
    (void)voter.told(2);
    voter.advance(milliseconds{400});
    voter.hear_vote_request(3, 50, 99, 40);
    voter.hear_vote_request(3, 51, 99, 40, kPreVote);
    voter.sync();
    EXPECT_EQ(voter.raft().term(), Term{2});
    EXPECT_THAT(voter.told(3), IsEmpty());
    voter.hear_vote_request(3, 3, 99, 2, kTransfer);  // the leader itself wants this one
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteReply>(3, RecordType::vote_reply).flags(), kGranted);
}

TEST(Election, a_leader_ignores_campaigns_until_it_loses_its_majority) {
    LoneVoter voter;
    voter.lead();
    voter.hear_vote_request(3, 50, 99, 40);
    EXPECT_EQ(voter.raft().role(), Role::leader);
    voter.advance(milliseconds{1100});  // nobody answers
    EXPECT_EQ(voter.raft().role(), Role::follower);
    EXPECT_EQ(voter.raft().leader(), NodeId{});
    voter.hear_vote_request(3, 50, 99, 40);
    EXPECT_EQ(voter.raft().term(), Term{50});
}

// The pre-vote deadlock: one that is behind in the log and ahead in the term must neither be ignored nor ignore.
TEST(Election, a_campaigner_that_is_behind_in_terms_is_told_the_term) {
    LoneVoter voter;
    voter.hear_vote_request(2, 10, 0, 0);  // refused for its log, but now in term 10
    voter.sync();
    (void)voter.told(2);
    voter.hear_vote_request(3, 6, 9, 9, kPreVote);
    const auto reply = voter.last_told<wire::VoteReply>(3, RecordType::vote_reply);
    EXPECT_EQ(reply.flags(), kPreVote);
    EXPECT_EQ(reply.term(), 10U);
}

TEST(Election, a_campaigner_takes_over_the_term_that_it_is_told) {
    LoneVoter voter;
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    voter.hear(3, RecordType::vote_reply, wire::VoteReply(10, 2, kPreVote, 0));
    EXPECT_EQ(voter.raft().term(), Term{10});
    voter.sync();
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    EXPECT_EQ(voter.last_told<wire::VoteRequest>(3, RecordType::vote_request).term(), 11U);
}

TEST(Election, a_leader_of_an_older_term_is_told_the_term) {
    LoneVoter voter;
    voter.hear_vote_request(2, 10, 0, 0);
    voter.sync();
    (void)voter.told(2);
    voter.hear_append(3, 5, 1, 1, 0, {});
    EXPECT_EQ(voter.last_told<wire::AppendReply>(3, RecordType::append_reply).term(), 10U);
    EXPECT_EQ(voter.raft().leader(), NodeId{});
}

TEST(Election, votes_from_another_storage_are_ignored) {
    LoneVoter voter;
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    voter.hear(2, RecordType::vote_reply, wire::VoteReply(1, 2, kPreVote | kGranted, 0), {}, 999);
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
    EXPECT_EQ(voter.process->counters.get(Counter::votes_ignored_storage), 1U);
    voter.lead();
    voter.hear_match(2, 2, 0, 999);
    EXPECT_EQ(voter.raft().commit(), LogIndex{0});  // nor do its acknowledgements count
}

TEST(Election, votes_from_a_node_that_is_no_voter_are_ignored) {
    LoneVoter voter;
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    voter.hear(4, RecordType::vote_reply, wire::VoteReply(1, 2, kPreVote | kGranted, 0));
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
}

TEST(Election, a_vote_of_an_older_term_or_for_a_pre_vote_does_not_count) {
    LoneVoter voter;
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    voter.hear(2, RecordType::vote_reply, wire::VoteReply(1, 1, kPreVote | kGranted, 0));
    EXPECT_EQ(voter.raft().role(), Role::pre_candidate);
    voter.hear(2, RecordType::vote_reply, wire::VoteReply(1, 2, kPreVote | kGranted, 0));
    voter.sync();
    ASSERT_EQ(voter.raft().role(), Role::candidate);
    voter.hear(3, RecordType::vote_reply, wire::VoteReply(1, 2, kPreVote | kGranted, 0));
    EXPECT_EQ(voter.raft().role(), Role::candidate);
}

TEST(Election, a_voter_with_amnesia_does_not_campaign) {
    LoneVoter voter(3, StorageId{999});
    voter.advance(seconds{10});
    EXPECT_EQ(voter.raft().role(), Role::follower);
}

TEST(Election, a_vote_that_the_journal_cannot_take_is_not_given) {
    LoneVoter voter;
    while (voter.process->journal.append(journal::RecordKind::watermark, text_bytes(std::string(500, 'x'))).ok()) {}
    while (voter.process->journal.append(journal::RecordKind::watermark, {}).ok()) {}
    voter.hear_vote_request(2, 5, 1, 1);
    EXPECT_EQ(voter.raft().term(), Term{1});
    EXPECT_THAT(voter.told(2), IsEmpty());
}

}  // namespace
}  // namespace dunlin::consensus::test
