// Changes of members and of who leads, as the service takes and answers them.
#include "ledger/service_fixture.hpp"

#include <dunlin/ledger/voter_set_reader.hpp>

namespace dunlin::ledger::test {
namespace {

struct MemberService : ServiceTest {
    MemberService() {
        open();
        log.waiting.clear();
    }
    void change(Instant now, std::uint64_t sequence, consensus::ChangeOp op, std::uint16_t node, std::uint64_t storage = 0,
                std::string_view address = {}) {
        const consensus::ConfigChange body{
            .storage = storage, .node = node, .op = static_cast<std::uint8_t>(op), .reserved0 = 0, .reserved1 = 0};
        command(now, 50, sequence, CommandType::member, joined(raw(body), bytes_of_text(address)));
    }
    void transfer(Instant now, std::uint16_t to) { command(now, 50, 9, CommandType::transfer, raw(TransferCommand{to, 0, 0})); }
};

TEST_F(MemberService, proposes_a_change_once_and_answers_when_it_is_applied) {
    change(at(2), 1, consensus::ChangeOp::add_learner, 4, 44, "there");
    change(at(3), 1, consensus::ChangeOp::add_learner, 4, 44, "there");
    ASSERT_EQ(log.waiting.size(), 1u);
    EXPECT_EQ(log.waiting[0].type, consensus::EntryType::members);
    MembersEntry entry{};
    ASSERT_EQ(decode(log.waiting[0].payload, entry), Status::ok);
    EXPECT_EQ(entry.command.change.storage, 44u);
    EXPECT_EQ(entry.head.session, 50u);
    EXPECT_EQ(entry.head.sequence, 1u);
    EXPECT_EQ(entry.head.node, kPeer.value());
    EXPECT_EQ(entry.command.address.size(), 5u);
    EXPECT_FALSE(service.wants_to_send(kPeer));
    commit(at(4));
    const wire::CommandReply first = reply(at(4));
    EXPECT_EQ(status_of(first), Status::ok);
    EXPECT_EQ(first.value(), replica.ledger.voters_index().value());
    change(at(5), 1, consensus::ChangeOp::add_learner, 4, 44, "there");
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(reply(at(5)).value(), first.value());
}

TEST_F(MemberService, knows_a_members_storage_where_the_caller_does_not) {
    change(at(2), 1, consensus::ChangeOp::demote, 2);
    ASSERT_EQ(log.waiting.size(), 1u);
    MembersEntry entry{};
    ASSERT_EQ(decode(log.waiting[0].payload, entry), Status::ok);
    EXPECT_EQ(entry.command.change.storage, 22u);
    commit();
    EXPECT_EQ(status_of(reply(at(2))), Status::ok);
}

TEST_F(MemberService, refuses_who_is_no_member_or_on_another_storage) {
    change(at(2), 1, consensus::ChangeOp::remove, 9);
    EXPECT_EQ(status_of(reply(at(2))), Status::not_found);
    change(at(3), 2, consensus::ChangeOp::remove, 2, 23);
    EXPECT_EQ(status_of(reply(at(3))), Status::not_found);
    EXPECT_TRUE(log.waiting.empty());
}

TEST_F(MemberService, passes_on_what_the_log_refuses) {
    for (const Status refused : {Status::busy, Status::invalid_argument, Status::ledger_full}) {
        log.change_refused = refused;
        change(at(2), 1, consensus::ChangeOp::add_learner, 4, 44);
        EXPECT_EQ(status_of(reply(at(2))), refused);
    }
    EXPECT_TRUE(log.waiting.empty());
}

TEST_F(MemberService, proposes_no_change_of_a_session_that_it_does_not_know) {
    command(at(2), 51, 1, CommandType::member,
            raw(consensus::ConfigChange{22, 2, static_cast<std::uint8_t>(consensus::ChangeOp::remove), 0, 0}));
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(status_of(reply(at(2))), Status::session_evicted);
}

// What an earlier leader had committed may still be unknown here: the same change, or another one.
TEST_F(MemberService, proposes_no_change_before_an_entry_of_its_term_is_applied) {
    log.current = Term{2};
    service.poll(at(2));
    change(at(2), 1, consensus::ChangeOp::remove, 2);
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(status_of(reply(at(2))), Status::busy);
}

TEST_F(MemberService, hands_over_until_the_one_that_was_named_leads) {
    transfer(at(2), 2);
    EXPECT_EQ(status_of(reply(at(2))), Status::busy);
    EXPECT_EQ(log.handed_to, NodeId{2});
    transfer(at(3), 1);
    EXPECT_EQ(status_of(reply(at(3))), Status::ok);
    EXPECT_TRUE(log.waiting.empty());
}

TEST_F(MemberService, hands_over_to_no_learner_and_to_nobody_else) {
    change(at(2), 1, consensus::ChangeOp::demote, 2);
    commit();
    (void)reply(at(2));
    for (const std::uint16_t to : {std::uint16_t{2}, std::uint16_t{9}}) {
        transfer(at(3), to);
        EXPECT_EQ(status_of(reply(at(3))), Status::not_found);
    }
    EXPECT_EQ(log.handed_to, NodeId{});
}

TEST_F(MemberService, tells_the_voters_and_of_which_entry_but_no_learner) {
    change(at(2), 1, consensus::ChangeOp::add_learner, 4, 44, "there");
    commit();
    (void)reply(at(2));
    service.on_session_open(kPeer);
    const auto records = written(at(3));
    ASSERT_EQ(records.size(), 1u);
    const VoterSetReader reader(records[0]);
    EXPECT_EQ(reader.index(), replica.ledger.voters_index());
    ASSERT_EQ(reader.count(), 2u);
    EXPECT_EQ(reader.voter(1).node, 2u);
}

}  // namespace
}  // namespace dunlin::ledger::test
