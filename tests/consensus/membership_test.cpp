// One member at a time: what a leader does with changes of members and learners, and a node with others that it does not know.
#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

// Leads voters 1, 2 and 3, or more of them; its no-op is committed.
struct Leader : LoneVoter {
    explicit Leader(std::size_t voters = 3) : LoneVoter(voters) {
        while (raft().role() != Role::pre_candidate) advance(milliseconds{100});
        const std::uint64_t term = raft().term().value() + 1;
        for (const std::uint32_t flags : {kPreVote | kGranted, kGranted}) {
            const std::uint64_t now_in = raft().term().value();
            for (std::uint16_t from = 2; from <= voters / 2 + 1; ++from) {
                hear(from, RecordType::vote_reply, wire::VoteReply(now_in, term, flags, 0));
            }
            sync();
        }
        for (std::uint16_t from = 2; from <= voters / 2 + 1; ++from) hear_match(from, raft().last_index().value());
        DUNLIN_ASSERT(raft().committed_in_term() && raft().applied() == raft().commit());
    }
    // Every one of `nodes` has everything and says so.
    void all_match(std::initializer_list<std::uint16_t> nodes) {
        sync();
        for (const std::uint16_t node : nodes) {
            (void)told(node);
            hear_match(node, raft().last_index().value());
        }
    }
    void add(std::uint16_t node) {
        DUNLIN_ASSERT(change(ChangeOp::add_learner, node) == Status::ok);
        all_match({2, 3});
    }
};

void propose(LoneVoter& voter, const char* text = "x") {
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes(text)).ok());
    voter.sync();
}

// ---- At a leader: what may be proposed

TEST(Membership, is_changed_by_the_leader_alone) {
    LoneVoter voter;
    EXPECT_EQ(voter.change(ChangeOp::add_learner, 4), Status::not_leader);
}

TEST(Membership, is_not_changed_before_a_commit_in_the_leaders_term) {
    LoneVoter voter;
    voter.lead();
    EXPECT_EQ(voter.change(ChangeOp::add_learner, 4), Status::busy);
    EXPECT_EQ(voter.standing(4), Standing::none);
    voter.hear_match(2, voter.raft().last_index().value());
    EXPECT_EQ(voter.change(ChangeOp::add_learner, 4), Status::ok);
}

TEST(Membership, is_not_changed_while_another_change_is_not_committed) {
    Leader leader;
    ASSERT_EQ(leader.change(ChangeOp::add_learner, 4), Status::ok);
    leader.sync();
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 5), Status::busy);
    leader.hear_match(2, leader.raft().last_index().value());
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 5), Status::ok);
}

TEST(Membership, is_not_changed_while_something_committed_is_not_applied) {
    Leader leader;
    leader.stalled = true;
    propose(leader);
    leader.stalled = true;
    leader.hear_match(2, leader.raft().last_index().value());
    ASSERT_LT(leader.raft().applied(), leader.raft().commit());
    EXPECT_EQ(leader.raft().propose_change(leader.now, change_of(ChangeOp::add_learner, 4), {}).status(), Status::busy);
    leader.process->settle();
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 4), Status::ok);
}

TEST(Membership, is_not_changed_while_leadership_is_handed_over) {
    Leader leader;
    ASSERT_TRUE(leader.raft().hand_over(leader.now));
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 4), Status::busy);
}

TEST(Membership, is_not_changed_in_a_way_that_cannot_be) {
    Leader leader;
    leader.add(4);
    const LogIndex last = leader.raft().last_index();
    const auto refused = [&](ChangeOp op, std::uint16_t node, std::uint64_t storage = 0) {
        return leader.change(op, node, storage) == Status::invalid_argument;
    };
    EXPECT_TRUE(refused(ChangeOp::add_learner, 2));
    EXPECT_TRUE(refused(ChangeOp::add_learner, 4, 999));  // a member on another storage is that member
    EXPECT_TRUE(refused(ChangeOp::add_learner, 1));
    EXPECT_TRUE(refused(ChangeOp::add_learner, 0));
    EXPECT_TRUE(refused(ChangeOp::promote, 2));
    EXPECT_TRUE(refused(ChangeOp::promote, 5));
    EXPECT_TRUE(refused(ChangeOp::promote, 4, 999));
    EXPECT_TRUE(refused(ChangeOp::demote, 4));
    EXPECT_TRUE(refused(ChangeOp::demote, 2, 999));
    EXPECT_TRUE(refused(ChangeOp::remove, 5));
    EXPECT_TRUE(refused(ChangeOp::remove, 2, 999));
    EXPECT_TRUE(refused(static_cast<ChangeOp>(5), 2));
    EXPECT_TRUE(refused(static_cast<ChangeOp>(0), 2));
    const ConfigChange nowhere{0, 5, static_cast<std::uint8_t>(ChangeOp::add_learner), 0, 0};
    EXPECT_EQ(leader.raft().propose_change(leader.now, nowhere, {}).status(), Status::invalid_argument);
    EXPECT_EQ(leader.raft().last_index(), last);
}

TEST(Membership, keeps_a_voter) {
    LoneVoter voter(1);
    voter.sync();  // it leads alone
    ASSERT_TRUE(voter.raft().committed_in_term());
    EXPECT_EQ(voter.change(ChangeOp::remove, 1), Status::invalid_argument);
    EXPECT_EQ(voter.change(ChangeOp::demote, 1), Status::invalid_argument);
    ASSERT_EQ(voter.change(ChangeOp::add_learner, 2), Status::ok);
    voter.sync();
    EXPECT_EQ(voter.change(ChangeOp::remove, 1), Status::invalid_argument);
    EXPECT_EQ(voter.change(ChangeOp::remove, 2), Status::ok);
}

TEST(Membership, has_an_end) {
    Leader leader(7);
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 8), Status::ledger_full);
    ASSERT_EQ(leader.change(ChangeOp::remove, 7), Status::ok);
    leader.all_match({2, 3, 4});
    EXPECT_EQ(leader.change(ChangeOp::add_learner, 8), Status::ok);
    EXPECT_EQ(leader.raft().member_count(), 7U);
}

TEST(Membership, says_how_long_a_change_may_be) {
    Leader leader;
    const std::vector<std::byte> rest(1024 - sizeof(ConfigChange) + 1);
    const auto propose_with = [&](std::size_t bytes) {
        return leader.raft().propose_change(leader.now, change_of(ChangeOp::add_learner, 4), std::span(rest).first(bytes)).status();
    };
    EXPECT_EQ(propose_with(rest.size()), Status::too_large);
    EXPECT_EQ(propose_with(rest.size() - 1), Status::ok);
}

// ---- At a leader: who counts

TEST(Membership, a_learner_is_sent_the_log_and_counts_for_nothing) {
    Leader leader;
    leader.add(4);
    EXPECT_EQ(leader.standing(4), Standing::learner);
    leader.all_match({4});
    propose(leader);
    const LogIndex before = leader.raft().commit();
    EXPECT_EQ(leader.last_told<wire::Append>(4, RecordType::append).entry_count(), 1U);
    leader.hear_match(4, leader.raft().last_index().value());
    EXPECT_EQ(leader.raft().commit(), before);
    leader.hear_match(3, leader.raft().last_index().value());
    EXPECT_EQ(leader.raft().commit(), leader.raft().last_index());
}

TEST(Membership, a_learner_confirms_no_read_and_no_leadership) {
    Leader leader;
    leader.add(4);
    const auto ticket = leader.raft().begin_read();
    ASSERT_TRUE(ticket.ok());
    const auto round = leader.last_told<wire::Append>(2, RecordType::append).round();
    leader.advance(milliseconds{100});
    const auto later = leader.last_told<wire::Append>(4, RecordType::append).round();
    ASSERT_GE(later, round);
    leader.hear_match(4, leader.raft().last_index().value(), later);
    EXPECT_EQ(leader.raft().read_state(ticket.value()), ReadState::waiting);
    for (int i = 0; i < 12; ++i) {
        leader.advance(milliseconds{100});
        leader.hear_match(4, leader.raft().last_index().value());
    }
    EXPECT_EQ(leader.raft().role(), Role::follower);
}

TEST(Membership, of_which_one_has_not_told_its_feature_level_knows_none_in_common_a_learner_too) {
    Leader leader;
    const auto tells = [&](std::uint16_t from, std::uint8_t level) {
        const auto last = leader.raft().last_index().value();
        leader.hear(from, RecordType::append_reply, wire::AppendReply(leader.raft().term().value(), 0, last, 0, 0, kSuccess, 0, level, 0));
    };
    tells(2, 9);
    EXPECT_EQ(leader.raft().features_of_all(), 0);
    tells(3, 1);
    EXPECT_EQ(leader.raft().features_of_all(), 1);  // no more than this build knows
    leader.add(4);
    EXPECT_EQ(leader.raft().features_of_all(), 0);
    tells(4, 0);  // from before there were levels
    EXPECT_EQ(leader.raft().features_of_all(), 1);
    leader.advance(seconds{2});
    ASSERT_NE(leader.raft().role(), Role::leader);
    EXPECT_EQ(leader.raft().features_of_all(), 0);
    leader.lead();
    EXPECT_EQ(leader.raft().features_of_all(), 0);  // each term asks anew
}

TEST(Membership, a_learners_state_judges_nobody) {
    Leader leader;
    leader.add(4);
    const auto differs = [&](std::uint16_t from) {
        const auto last = leader.raft().last_index().value();
        leader.hear(from, RecordType::append_reply,
                    wire::AppendReply(leader.raft().term().value(), 0, last, 0, 0, kSuccess | kStateDiffers, 0, 0, 0));
    };
    differs(4);
    differs(2);
    EXPECT_EQ(leader.raft().role(), Role::leader);
    differs(3);
    EXPECT_EQ(leader.raft().stopped(), Status::corrupt);
}

TEST(Membership, a_learners_state_confirms_nobodys) {
    Leader leader;
    leader.add(4);
    const auto says = [&](std::uint16_t from, std::uint32_t state) {
        const auto last = leader.raft().last_index().value();
        leader.hear(from, RecordType::append_reply,
                    wire::AppendReply(leader.raft().term().value(), 0, last, 0, 0, kSuccess | state, 0, 0, 0));
    };
    const auto told_to_stop = [&](std::uint16_t to) {
        leader.advance(milliseconds{100});
        constexpr auto kDiverged = static_cast<std::uint32_t>(wire::AppendFlag::diverged);
        return (leader.last_told<wire::Append>(to, RecordType::append).flags() & kDiverged) != 0;
    };
    says(2, kStateDiffers);
    says(4, kStateAgrees);
    EXPECT_FALSE(told_to_stop(2));  // it may be the leader that is wrong, and two of three would know
    says(3, kStateAgrees);
    EXPECT_TRUE(told_to_stop(2));
    says(4, kStateDiffers);
    EXPECT_TRUE(told_to_stop(4));
}

TEST(Membership, a_learner_is_promoted_once_it_has_what_there_is) {
    Leader leader;
    leader.add(4);
    EXPECT_EQ(leader.change(ChangeOp::promote, 4), Status::busy);  // it has not answered yet
    leader.all_match({4});
    propose(leader);
    leader.hear_match(2, leader.raft().last_index().value());
    EXPECT_EQ(leader.change(ChangeOp::promote, 4), Status::busy);  // the last entry is not even sent
    leader.hear_match(4, leader.raft().last_index().value() - 1);
    (void)leader.told(4);
    leader.sync();
    ASSERT_EQ(leader.raft().commit(), leader.raft().last_index());
    EXPECT_EQ(leader.change(ChangeOp::promote, 4), Status::busy);  // it was, and is not on its disk
    leader.all_match({4});
    leader.advance(milliseconds{500});
    EXPECT_EQ(leader.change(ChangeOp::promote, 4), Status::busy);  // it is silent
    leader.all_match({2, 3, 4});
    EXPECT_EQ(leader.change(ChangeOp::promote, 4), Status::ok);
    EXPECT_EQ(leader.standing(4), Standing::voter);
    leader.sync();
    leader.hear_match(2, leader.raft().last_index().value());
    EXPECT_LT(leader.raft().commit(), leader.raft().last_index());  // two of four
    leader.hear_match(4, leader.raft().last_index().value());
    EXPECT_EQ(leader.raft().commit(), leader.raft().last_index());
}

TEST(Membership, a_voter_that_is_demoted_or_removed_counts_no_more) {
    for (const ChangeOp op : {ChangeOp::demote, ChangeOp::remove}) {
        Leader leader;
        ASSERT_EQ(leader.change(op, 3), Status::ok);
        leader.sync();
        leader.hear_match(3, leader.raft().last_index().value());
        EXPECT_LT(leader.raft().commit(), leader.raft().last_index());
        leader.hear_match(2, leader.raft().last_index().value());
        EXPECT_EQ(leader.raft().commit(), leader.raft().last_index());
        EXPECT_EQ(leader.standing(3), op == ChangeOp::demote ? Standing::learner : Standing::none);
    }
}

TEST(Membership, who_was_removed_hears_so_and_then_nothing) {
    Leader leader;
    leader.all_match({2, 3});
    ASSERT_EQ(leader.change(ChangeOp::remove, 3), Status::ok);
    leader.sync();
    EXPECT_EQ(leader.last_told<wire::Append>(3, RecordType::append).entry_count(), 1U);
    for (int i = 0; i < 5; ++i) {  // nothing is committed yet, so it may have to be a voter again
        leader.advance(milliseconds{100});
        leader.hear_match(2, leader.raft().last_index().value() - 1);
        EXPECT_TRUE(leader.raft().wants_to_send(NodeId{3}));
        (void)leader.told(3);
    }
    leader.hear_match(3, leader.raft().last_index().value());
    leader.hear_match(2, leader.raft().last_index().value());
    std::uint64_t commit = 0, sent = 0;
    for (int i = 0; i < 10; ++i) {
        leader.advance(milliseconds{100});
        leader.hear_match(2, leader.raft().last_index().value());
        for (const Told& record : leader.told(3)) {
            ++sent;
            commit = record.as<wire::Append>().commit();
        }
    }
    EXPECT_EQ(commit, leader.raft().commit().value());
    EXPECT_EQ(sent, 2U);
}

// ---- At a leader that is not to be one

TEST(Membership, a_leader_that_removes_itself_counts_the_others_and_hands_over_when_it_is_committed) {
    for (const ChangeOp op : {ChangeOp::demote, ChangeOp::remove}) {
        Leader leader;
        leader.all_match({2, 3});
        ASSERT_EQ(leader.change(op, 1), Status::ok);
        leader.sync();
        const LogIndex change = leader.raft().last_index();
        leader.hear_match(2, change.value());
        EXPECT_LT(leader.raft().commit(), change);  // itself and one of the two others are no majority of them
        EXPECT_EQ(leader.raft().role(), Role::leader);
        leader.hear_match(3, change.value());
        EXPECT_EQ(leader.raft().commit(), change);
        EXPECT_FALSE(leader.raft().propose(leader.now, EntryType::command, text_bytes("late")).ok());
        const auto told = leader.told(2);
        ASSERT_GE(told.size(), 2U);
        EXPECT_EQ(told.front().as<wire::Append>().commit(), change.value());
        EXPECT_EQ(told.back().type, RecordType::timeout_now);
        EXPECT_EQ(leader.last_told<wire::Append>(3, RecordType::append).commit(), change.value());
        leader.advance(milliseconds{500});  // whoever it was handed to did nothing
        EXPECT_EQ(leader.raft().role(), Role::follower);
        const Term term = leader.raft().term();
        leader.advance(seconds{10});
        EXPECT_EQ(leader.raft().term(), term);
        EXPECT_EQ(leader.process->counters.get(Counter::pre_votes_started), 1U);  // the one that made it leader
    }
}

TEST(Membership, a_leader_that_removed_itself_needs_a_majority_of_the_others_to_lead_and_to_read) {
    Leader leader;
    leader.all_match({2, 3});
    ASSERT_EQ(leader.change(ChangeOp::remove, 1), Status::ok);
    leader.sync();
    const auto ticket = leader.raft().begin_read();
    ASSERT_TRUE(ticket.ok());
    const auto round = leader.last_told<wire::Append>(2, RecordType::append).round();
    leader.hear_match(2, 1, round);
    EXPECT_EQ(leader.raft().read_state(ticket.value()), ReadState::waiting);
    for (int i = 0; i < 12; ++i) {
        leader.advance(milliseconds{100});
        leader.hear_match(2, 1);
    }
    EXPECT_EQ(leader.raft().role(), Role::follower);
}

TEST(Membership, leadership_goes_to_the_voter_that_is_named_and_to_no_learner) {
    Leader leader;
    leader.add(4);
    leader.all_match({4});
    EXPECT_FALSE(leader.raft().hand_over(leader.now, NodeId{4}));
    EXPECT_FALSE(leader.raft().hand_over(leader.now, NodeId{1}));
    EXPECT_FALSE(leader.raft().hand_over(leader.now, NodeId{9}));
    ASSERT_TRUE(leader.raft().hand_over(leader.now, NodeId{3}));
    const auto ordered = [&](std::uint16_t to) {
        for (const Told& record : leader.told(to)) {
            if (record.type == RecordType::timeout_now) return true;
        }
        return false;
    };
    EXPECT_FALSE(ordered(2));
    EXPECT_FALSE(ordered(4));
    EXPECT_TRUE(ordered(3));
}

// ---- Nodes that are not known

TEST(Membership, a_leader_that_is_not_known_is_followed_and_answered) {
    LoneVoter voter;
    voter.hear_append(5, 2, 1, 1, 1, {{2, 0, "x"}});
    voter.sync();
    EXPECT_EQ(voter.raft().leader(), NodeId{5});
    const auto reply = voter.last_told<wire::AppendReply>(5, RecordType::append_reply);
    EXPECT_EQ(reply.match_index(), 2U);
    EXPECT_EQ(voter.raft().member_count(), 3U);
}

TEST(Membership, a_candidate_that_is_not_known_gets_a_vote_and_the_leader_of_an_old_term_the_news) {
    LoneVoter voter;
    voter.hear_vote_request(5, 2, 1, 1);
    voter.sync();
    EXPECT_NE(voter.last_told<wire::VoteReply>(5, RecordType::vote_reply).flags() & kGranted, 0U);
    voter.hear_append(6, 1, 1, 1, 1, {});
    EXPECT_EQ(voter.last_told<wire::AppendReply>(6, RecordType::append_reply).term(), 2U);
}

TEST(Membership, any_number_of_nodes_that_are_not_known_may_ask_the_newest_is_answered) {
    LoneVoter voter(7);
    for (std::uint16_t node = 8; node < 40; ++node) {
        voter.hear_vote_request(node, 2, 1, 0, kPreVote);
        EXPECT_TRUE(voter.raft().wants_to_send(NodeId{node})) << node;
    }
    EXPECT_EQ(voter.raft().member_count(), 7U);
    voter.hear_append(38, 1, 1, 1, 1, {});  // one of them leads: its place is not taken
    for (std::uint16_t node = 8; node < 20; ++node) voter.hear_append(node, 0, 1, 1, 1, {});
    EXPECT_TRUE(voter.raft().wants_to_send(NodeId{38}));
    EXPECT_TRUE(voter.raft().wants_to_send(NodeId{19}));
}

TEST(Membership, a_member_on_another_storage_or_a_node_with_none_is_not_heard) {
    LoneVoter voter;
    voter.hear(2, RecordType::vote_request, wire::VoteRequest(2, 1, 1, 0, 0), {}, 999);
    EXPECT_FALSE(voter.raft().wants_to_send(NodeId{2}));
    EXPECT_EQ(voter.raft().term(), Term{1});
    EXPECT_EQ(voter.process->counters.get(Counter::votes_ignored_storage), 1U);
}

TEST(Membership, who_is_not_known_counts_for_nothing_and_is_sent_nothing_by_a_leader) {
    Leader leader;
    leader.all_match({2, 3});
    propose(leader);
    leader.hear_match(5, leader.raft().last_index().value());
    EXPECT_LT(leader.raft().commit(), leader.raft().last_index());
    leader.hear_vote_request(5, 1, 1, 1);
    leader.hear_append(5, 1, 1, 1, 1, {});  // as a leader that was removed: it is told our term, and no more
    leader.advance(milliseconds{300});
    const auto told = leader.told(5);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].type, RecordType::append_reply);
}

TEST(Membership, a_node_that_is_added_is_followed_up_from_where_it_is) {
    Leader leader;
    leader.hear_vote_request(4, 1, 1, 1);  // known as a stranger before
    leader.add(4);
    const auto first = leader.last_told<wire::Append>(4, RecordType::append);
    EXPECT_EQ(first.prev_index(), leader.raft().last_index().value());
    leader.hear(4, RecordType::append_reply, wire::AppendReply(leader.raft().term().value(), first.round(), 0, 0, 0, 0, 0, 0, 0));
    const auto second = leader.last_told<wire::Append>(4, RecordType::append);
    EXPECT_EQ(second.prev_index(), 0U);
    EXPECT_EQ(second.entry_count(), leader.raft().last_index().value());
}

}  // namespace
}  // namespace dunlin::consensus::test
