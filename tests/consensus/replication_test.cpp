#include "consensus/lone_voter.hpp"

#include <gmock/gmock.h>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;
using wire::RecordType;

// ---- Following

TEST(Replication, commit_is_clamped_to_what_the_append_has_shown_to_be_equal) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "never committed"}, {2, 10, "nor this"}});
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 1, 1, 3, {});  // the new leader's entries 2 and 3 are others
    EXPECT_EQ(voter.raft().commit(), LogIndex{1});
    voter.hear_append(3, 3, 1, 1, 3, {{3, 20, "committed"}});
    EXPECT_EQ(voter.raft().commit(), LogIndex{2});
}

TEST(Replication, commit_never_goes_back) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 3, {{2, 10, "a"}, {2, 10, "b"}}, 0, 2);
    ASSERT_EQ(voter.raft().commit(), LogIndex{3});
    voter.hear_append(2, 2, 1, 1, 1, {{2, 10, "a"}}, 0, 1);  // an older one comes late
    EXPECT_EQ(voter.raft().commit(), LogIndex{3});
    EXPECT_EQ(voter.raft().last_index(), LogIndex{3});  // and takes nothing away
}

TEST(Replication, an_entry_that_was_committed_is_never_replaced) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {{2, 10, "a"}});
    voter.hear_append(3, 3, 1, 1, 2, {{3, 10, "forged"}});
    EXPECT_EQ(voter.raft().log().term_at(LogIndex{2}), Term{2});
}

TEST(Replication, a_voter_whose_committed_entry_is_contradicted_by_the_leader_stops) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {{2, 10, "a"}});
    voter.sync();
    (void)voter.told(2);
    ASSERT_EQ(voter.raft().stopped(), Status::ok);
    voter.hear_append(3, 3, 1, 1, 2, {{3, 10, "another"}});
    voter.sync();
    EXPECT_EQ(voter.raft().stopped(), Status::corrupt);
    EXPECT_EQ(voter.raft().role(), Role::member);
    EXPECT_EQ(voter.raft().leader(), NodeId{});
    EXPECT_EQ(voter.raft().next_deadline(), kNever);
    voter.hear_append(3, 3, 2, 2, 2, {{3, 20, "goes on"}});
    voter.hear_vote_request(2, 9, 9, 9, kTransfer);
    voter.advance(seconds{3});
    voter.sync();
    EXPECT_EQ(voter.raft().last_index(), LogIndex{2});
    EXPECT_EQ(voter.raft().term(), Term{3});  // no vote, and no campaign of its own
    EXPECT_THAT(voter.told(2), IsEmpty());
    EXPECT_THAT(voter.told(3), IsEmpty());
    EXPECT_EQ(voter.raft().propose(voter.now, EntryType::command, {}).status(), Status::not_leader);
}

TEST(Replication, a_malformed_entry_is_no_contradiction) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 2, {{2, 10, "a"}});
    voter.hear_append(3, 3, 1, 1, 2, {{0, 10, "of no term"}});
    voter.hear_append(3, 3, 1, 1, 2, {{4, 10, "of a term to come"}});
    EXPECT_EQ(voter.raft().stopped(), Status::ok);
    EXPECT_EQ(voter.process->counters.get(Counter::records_malformed), 2U);
}

TEST(Replication, a_refusal_names_where_the_logs_may_agree) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "a"}, {2, 10, "b"}});
    voter.sync();
    (void)voter.told(2);
    voter.hear_append(2, 4, 9, 4, 0, {});
    voter.sync();
    auto reply = voter.last_told<wire::AppendReply>(2, RecordType::append_reply);
    EXPECT_EQ(reply.flags(), 0U);
    EXPECT_EQ(reply.hint_index(), 3U);
    EXPECT_EQ(reply.hint_term(), 2U);
    voter.hear_append(2, 4, 3, 1, 0, {});  // ours at 3 is of a later term: not even 2 can agree
    reply = voter.last_told<wire::AppendReply>(2, RecordType::append_reply);
    EXPECT_EQ(reply.hint_index(), 1U);
}

TEST(Replication, malformed_entries_are_counted_and_dropped) {
    LoneVoter voter;
    const std::vector<std::byte> bytes(30);
    voter.hear(2, RecordType::append, wire::Append(2, 1, 1, 0, 0, 1, 5, 0, 0, 0), bytes);  // the first is of term 0
    EXPECT_EQ(voter.raft().last_index(), LogIndex{1});
    voter.hear(2, RecordType::append, wire::Append(2, 1, 1, 0, 0, 1, 1, 0, 0, 0), std::span(bytes).first(10));
    EXPECT_EQ(voter.process->counters.get(Counter::records_malformed), 2U);
}

// ---- Leading

TEST(Replication, a_leader_starts_its_term_with_a_no_op_that_commits_what_came_before) {
    LoneVoter voter;
    voter.lead();
    const Entry entry = voter.raft().log().entry(LogIndex{2});
    EXPECT_EQ(entry.type, EntryType::none);
    EXPECT_EQ(entry.term, voter.raft().term());
    voter.hear_match(2, 2);
    EXPECT_EQ(voter.raft().commit(), LogIndex{2});
    EXPECT_TRUE(voter.raft().committed_in_term());
}

TEST(Replication, entries_of_older_terms_are_not_committed_by_counting) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "of term 2"}});
    voter.sync();
    voter.lead();  // in term 3; its no-op is entry 3
    voter.hear_match(2, 2);
    voter.hear_match(3, 2);  // everybody has entry 2, and it may still be replaced (Raft figure 8)
    EXPECT_EQ(voter.raft().commit(), LogIndex{0});
    voter.hear_match(3, 3);
    EXPECT_EQ(voter.raft().commit(), LogIndex{3});
}

TEST(Replication, a_heartbeat_never_tells_a_commit_above_what_is_known_to_match) {
    LoneVoter voter;
    voter.lead();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    voter.sync();
    voter.hear_match(2, 5);
    ASSERT_EQ(voter.raft().commit(), LogIndex{5});
    (void)voter.told(3);
    const std::uint64_t term = voter.raft().term().value();
    voter.hear(3, RecordType::append_reply, wire::AppendReply(term, 1, 0, 0, 0, 0, 0, 0, 0));  // its log is empty
    voter.advance(milliseconds{100});
    const std::vector<Told> records = voter.told(3, 126);  // no room for an entry: a bare heartbeat
    ASSERT_FALSE(records.empty());
    for (const Told& record : records) {
        const auto append = record.as<wire::Append>();
        EXPECT_LE(append.commit(), append.prev_index() + append.entry_count());
    }
    EXPECT_EQ(records[0].as<wire::Append>().prev_index(), 0U);
}

TEST(Replication, a_match_never_goes_back) {
    LoneVoter voter;
    voter.lead();
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    voter.hear_match(2, 3);
    voter.hear_match(2, 2);  // an older answer comes late
    voter.sync();
    EXPECT_EQ(voter.raft().commit(), LogIndex{3});
}

TEST(Replication, answers_that_cannot_be_true_are_dropped) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 900);
    EXPECT_EQ(voter.raft().commit(), LogIndex{0});
    EXPECT_EQ(voter.process->counters.get(Counter::records_malformed), 1U);
}

TEST(Replication, what_was_lost_is_sent_again_after_the_next_heartbeat) {
    LoneVoter voter;
    voter.lead();
    (void)voter.told(2);
    voter.hear_match(2, 2);
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    EXPECT_EQ(voter.last_told<wire::Append>(2, RecordType::append).entry_count(), 1U);  // lost
    voter.advance(milliseconds{100});
    const auto beat = voter.last_told<wire::Append>(2, RecordType::append);
    EXPECT_EQ(beat.prev_index(), 3U);
    voter.hear(2, RecordType::append_reply, wire::AppendReply(2, beat.round(), 0, 2, 2, 0, 0, 0, 0));
    const auto again = voter.last_told<wire::Append>(2, RecordType::append);
    EXPECT_EQ(again.prev_index(), 2U);
    EXPECT_EQ(again.entry_count(), 1U);
}

TEST(Replication, a_silent_follower_has_a_bounded_number_of_appends_in_flight) {
    LoneVoter voter;
    voter.lead();
    (void)voter.told(2);
    voter.hear_match(2, 2);
    std::size_t appends = 0;
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
        appends += voter.told(2).size();
    }
    EXPECT_EQ(appends, 8U);
}

TEST(Replication, a_proposal_that_finds_no_room_is_refused_and_leaves_room_for_a_no_op) {
    LoneVoter voter;
    voter.lead();
    Status status = Status::ok;
    int accepted = 0;
    while (status == Status::ok) {
        status = voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).status();
        ++accepted;
    }
    EXPECT_EQ(status, Status::busy);
    EXPECT_EQ(voter.raft().last_index().value(), 28U);  // of 32 slots
    EXPECT_EQ(voter.raft().propose(voter.now, EntryType::command, std::vector<std::byte>(1025)).status(), Status::too_large);
    EXPECT_EQ(LoneVoter().raft().propose(voter.now, EntryType::command, {}).status(), Status::not_leader);
}

TEST(Replication, a_ring_full_of_proposals_outlives_as_many_failed_terms_as_slots_are_reserved_less_one) {
    for (const bool one_more : {false, true}) {
        LoneVoter voter;
        voter.lead();
        while (voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok()) {}
        const LogIndex filled = voter.raft().last_index();
        const auto lead_again = [&] {
            voter.advance(seconds{2});
            voter.lead();
            (void)voter.told(2);
            voter.hear_match(2, voter.raft().last_index().value());
            voter.advance(milliseconds{100});
            voter.sync();
        };
        for (std::size_t failed = 0; failed < kReservedSlots - (one_more ? 0 : 1); ++failed) lead_again();
        lead_again();
        EXPECT_EQ(voter.raft().last_index(), filled.plus(kReservedSlots));
        voter.hear_match(2, voter.raft().last_index().value());
        EXPECT_EQ(voter.raft().commit(), one_more ? LogIndex{0} : voter.raft().last_index());
    }
}

TEST(Replication, a_ring_full_of_proposals_outlives_any_number_of_terms_whose_appends_nobody_answers) {
    LoneVoter voter;
    voter.lead();
    while (voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok()) {}
    const LogIndex filled = voter.raft().last_index();
    for (std::size_t failed = 0; failed < 3 * kReservedSlots; ++failed) {
        voter.advance(seconds{2});
        voter.lead();
        EXPECT_EQ(voter.raft().last_index(), filled);
    }
    (void)voter.told(2);
    voter.hear_match(2, filled.value());
    voter.advance(milliseconds{100});
    voter.sync();
    EXPECT_EQ(voter.raft().last_index(), filled.next());
    EXPECT_EQ(voter.raft().commit(), LogIndex{0});
    voter.hear_match(2, filled.next().value());
    EXPECT_EQ(voter.raft().commit(), filled.next());
}

TEST(Replication, what_a_follower_still_needs_stays_in_the_ring_as_long_as_it_makes_progress) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    voter.hear_match(3, 2);
    const auto fill = [&] {
        while (voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok()) {
            voter.sync();
            voter.hear_match(2, voter.raft().last_index().value());
        }
    };
    fill();
    EXPECT_EQ(voter.raft().log().base().index, LogIndex{2});
    voter.advance(milliseconds{250});
    voter.hear_match(2, voter.raft().last_index().value());
    voter.hear_match(3, 9);
    fill();
    EXPECT_EQ(voter.raft().log().base().index, LogIndex{9});
    voter.advance(milliseconds{300});  // then it holds nobody up any more
    voter.hear_match(2, voter.raft().last_index().value());
    EXPECT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
}

// ---- Reads

TEST(Reads, are_refused_before_a_commit_in_the_term) {
    LoneVoter voter;
    EXPECT_EQ(voter.raft().begin_read().status(), Status::not_leader);
    voter.lead();
    EXPECT_EQ(voter.raft().begin_read().status(), Status::busy);
    voter.hear_match(2, 2);
    EXPECT_TRUE(voter.raft().begin_read().ok());
}

TEST(Reads, are_confirmed_only_by_a_round_that_began_after_the_read) {
    LoneVoter voter;
    voter.lead();
    const std::uint64_t before = voter.last_told<wire::Append>(2, RecordType::append).round();
    voter.hear_match(2, 2);
    const auto ticket = voter.raft().begin_read();
    voter.hear_match(2, 2, before);  // an answer to what was sent before the read says nothing of now
    EXPECT_EQ(voter.raft().read_state(ticket.value()), ReadState::waiting);
    voter.hear_match(2, 2, voter.last_told<wire::Append>(2, RecordType::append).round());
    EXPECT_EQ(voter.raft().read_state(ticket.value()), ReadState::ready);
}

TEST(Reads, of_a_retry_need_a_round_of_their_own) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    const auto first = voter.raft().begin_read();
    voter.hear_match(2, 2, voter.last_told<wire::Append>(2, RecordType::append).round());
    ASSERT_EQ(voter.raft().read_state(first.value()), ReadState::ready);
    const auto retry = voter.raft().begin_read();
    EXPECT_EQ(voter.raft().read_state(retry.value()), ReadState::waiting);
}

TEST(Reads, fail_when_leadership_is_lost) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    const auto ticket = voter.raft().begin_read();
    voter.hear_append(3, 9, 2, 2, 0, {});
    EXPECT_EQ(voter.raft().read_state(ticket.value()), ReadState::failed);
}

TEST(Reads, fail_though_leadership_was_lost_and_won_again) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    const auto ticket = voter.raft().begin_read();
    voter.hear_append(3, 3, 2, 2, 2, {{3, 10, "written meanwhile"}}, 0, 1);
    voter.sync();
    voter.lead();
    ASSERT_EQ(voter.raft().term(), Term{4});
    const std::uint64_t round = voter.last_told<wire::Append>(2, RecordType::append).round();
    voter.hear_match(2, voter.raft().last_index().value(), round);
    ASSERT_TRUE(voter.raft().committed_in_term());
    EXPECT_EQ(voter.raft().read_state(ticket.value()), ReadState::failed);
}

// ---- Cluster time

TEST(ClusterTime, does_not_survive_the_truncation_of_what_said_it) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 500, "a"}}, 1000);
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{1000});
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 1, 1, 0, {{3, 300, "b"}}, 300);
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{300});
    voter.sync();
    voter.lead();
    EXPECT_LT(voter.raft().log().last_time(), ClusterTime{1000});
}

TEST(ClusterTime, of_a_heartbeat_counts_only_with_an_entry_of_its_term) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {}, 5000);  // the no-op of term 2 did not arrive, and may never be committed
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{0});
    voter.hear_append(2, 2, 1, 1, 0, {{2, 100, ""}}, 5100);
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{5100});
}

TEST(ClusterTime, of_an_older_term_s_later_heartbeat_is_replaced) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {}, 5000);  // of a leader whose entries nobody has
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 1, 1, 0, {{3, 300, ""}}, 300, 1);
    voter.hear_append(3, 3, 2, 3, 0, {}, 400, 2);
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{400});
}

TEST(ClusterTime, goes_on_with_a_new_leader_where_the_last_was_heard) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 100, ""}}, 7'000'000);
    voter.sync();
    voter.lead();
    const Instant elected = voter.now;
    EXPECT_EQ(voter.raft().log().last_time(), ClusterTime{7'000'000});
    EXPECT_EQ(voter.raft().cluster_time(elected + seconds{1}), ClusterTime{8'000'000});
}

// ---- Leadership transfer

TEST(Transfer, waits_until_the_chosen_follower_has_everything) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    voter.raft().hand_over(voter.now);
    EXPECT_EQ(voter.last_told<wire::TimeoutNow>(2, RecordType::timeout_now).term(), 0U);
    voter.hear_match(2, 3);
    EXPECT_EQ(voter.last_told<wire::TimeoutNow>(2, RecordType::timeout_now).term(), 2U);
}

TEST(Transfer, makes_the_chosen_one_campaign_at_once) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {});
    voter.hear(3, RecordType::timeout_now, wire::TimeoutNow(2));  // not the leader
    EXPECT_EQ(voter.raft().role(), Role::follower);
    voter.hear(2, RecordType::timeout_now, wire::TimeoutNow(1));  // late, of a term that it led before
    EXPECT_EQ(voter.raft().role(), Role::follower);
    voter.hear(2, RecordType::timeout_now, wire::TimeoutNow(2));
    EXPECT_EQ(voter.raft().role(), Role::candidate);
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteRequest>(3, RecordType::vote_request).flags(), kTransfer);
}

}  // namespace
}  // namespace dunlin::consensus::test
