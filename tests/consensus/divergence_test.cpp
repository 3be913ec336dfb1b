// One replica's state differs: that one stops, whoever leads, and the majority goes on.
#include "consensus/cluster.hpp"
#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

void hear_state(LoneVoter& voter, std::uint16_t from, std::uint32_t state, std::uint64_t round = 0) {
    const std::uint64_t last = voter.raft().last_index().value();
    voter.hear(from, RecordType::append_reply,
               wire::AppendReply(voter.raft().term().value(), round, last, 0, 0, kSuccess | state, 0, 0, 0));
}

bool told_to_stop(LoneVoter& voter, std::uint16_t to) {
    voter.advance(milliseconds{100});
    constexpr auto kDiverged = static_cast<std::uint32_t>(wire::AppendFlag::diverged);
    return (voter.last_told<wire::Append>(to, RecordType::append).flags() & kDiverged) != 0;
}

// Leader 2 of term 2, with the log as of entry 1, says which hash its state had after `index`.
void hear_hash(LoneVoter& voter, std::uint64_t index, std::uint64_t hash) {
    voter.hear(2, RecordType::append, wire::Append(2, 1, 1, 0, 0, 1, 0, 0, index, hash));
}

std::uint32_t state_told(LoneVoter& voter) {
    voter.sync();
    return voter.last_told<wire::AppendReply>(2, RecordType::append_reply).flags() & (kStateAgrees | kStateDiffers);
}

TEST(Divergence, is_looked_for_in_every_append_as_of_the_entry_that_it_names) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {{2, 0, "a"}});
    ASSERT_EQ(voter.raft().applied(), LogIndex{2});
    hear_hash(voter, 1, 7);  // of what was here before
    EXPECT_EQ(state_told(voter), 0U);
    hear_hash(voter, 2, 0);  // not known
    EXPECT_EQ(state_told(voter), 0U);
    hear_hash(voter, 2, voter.process->machine.hash);
    EXPECT_EQ(state_told(voter), kStateAgrees);
    voter.hear_append(2, 2, 2, 2, 3, {{2, 0, "b"}});
    hear_hash(voter, 3, voter.process->machine.hash + 1);
    EXPECT_EQ(state_told(voter), kStateDiffers);
}

TEST(Divergence, is_found_also_by_one_that_lags_and_hears_of_later_states_meanwhile) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 1, {{2, 0, "a"}, {2, 0, "b"}});
    hear_hash(voter, 2, 7);
    hear_hash(voter, 3, 7);
    EXPECT_EQ(state_told(voter), 0U);
    voter.hear_append(2, 2, 2, 2, 2, {});
    ASSERT_EQ(voter.raft().applied(), LogIndex{2});
    EXPECT_EQ(state_told(voter), kStateDiffers);
}

TEST(Divergence, a_leader_says_with_each_append_what_it_has_applied_and_its_states_hash) {
    LoneVoter voter;
    voter.lead();
    EXPECT_EQ(voter.last_told<wire::Append>(2, RecordType::append).checked_hash(), 0U);  // nothing is applied yet
    voter.hear_match(2, 2);
    ASSERT_EQ(voter.raft().applied(), LogIndex{2});
    voter.advance(milliseconds{100});
    const auto append = voter.last_told<wire::Append>(2, RecordType::append);
    EXPECT_EQ(append.checked_index(), 2U);
    EXPECT_EQ(append.checked_hash(), voter.process->machine.hash);
}

// With nothing in the log but puts.
TEST(Divergence, in_a_running_cluster_stops_the_one_that_differs_whoever_leads) {
    for (const bool leads : {false, true}) {
        Cluster cluster(3, 7);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.propose(); }));
        cluster.run(seconds{1});
        const std::size_t leader = cluster.leader();
        const std::size_t wrong = leads ? leader : (leader + 1) % 3;
        cluster.process(wrong).machine.hash ^= 1;
        ASSERT_TRUE(cluster.propose());
        EXPECT_TRUE(cluster.run_until([&] { return cluster.voter(wrong).stopped() == Status::corrupt; }, seconds{1})) << leads;
        const std::size_t committed = cluster.committed();
        EXPECT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.propose() && cluster.committed() > committed; }))
            << leads;
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(cluster.voter(i).stopped() != Status::ok, i == wrong) << i << leads;
    }
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
