#include "replica.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dunlin::ledger::test {
namespace {

using consensus::ChangeOp;

consensus::ConfigChange change_of(ChangeOp op, std::uint16_t node, std::uint64_t storage) {
    return {.storage = storage, .node = node, .op = static_cast<std::uint8_t>(op), .reserved0 = 0, .reserved1 = 0};
}

// The cluster of Replica::bootstrap(): voters 1, 2 and 3 on storages 11, 22 and 33.
struct Members : testing::Test {
    Members() { EXPECT_EQ(replica.bootstrap().replica, Status::ok); }

    static std::vector<std::byte> entry(const consensus::ConfigChange& change, std::string_view address = {}, std::uint64_t session = 50,
                                        std::uint64_t sequence = 1, std::uint16_t node = 7) {
        const CommandHead head{session, sequence, node, static_cast<std::uint8_t>(CommandType::member), 0, 0};
        return joined(joined(raw(change), raw(head)), bytes_of_text(address));
    }
    ApplyResult apply(ChangeOp op, std::uint16_t node, std::uint64_t storage, std::string_view address = {}, std::uint64_t sequence = 1) {
        return replica.apply(consensus::EntryType::members, entry(change_of(op, node, storage), address, 50, sequence));
    }
    MemberRow row(std::uint16_t node) {
        const std::uint16_t slot = replica.ledger.find_member(NodeId{node});
        return slot != kNoSlot ? replica.ledger.member(slot) : MemberRow{};
    }
    static std::string address_of(const MemberRow& row) { return {reinterpret_cast<const char*>(row.address), row.address_length}; }

    Replica replica;
};

TEST_F(Members, are_learners_first_and_then_vote) {
    EXPECT_EQ(row(1).flags, kMemberVoter);
    const ApplyResult added = apply(ChangeOp::add_learner, 4, 44, "10.0.0.4:1");
    EXPECT_EQ(added.replica, Status::ok);
    EXPECT_EQ(added.command.value, 2u);
    EXPECT_EQ(row(4).storage, 44u);
    EXPECT_EQ(row(4).flags, kMemberLearner);
    EXPECT_EQ(address_of(row(4)), "10.0.0.4:1");
    EXPECT_EQ(replica.ledger.voters_index(), LogIndex{2});
    (void)apply(ChangeOp::promote, 4, 44);
    EXPECT_EQ(row(4).flags, kMemberVoter);
    EXPECT_EQ(address_of(row(4)), "10.0.0.4:1");
    (void)apply(ChangeOp::demote, 1, 11);
    EXPECT_EQ(row(1).flags, kMemberLearner);
    (void)apply(ChangeOp::remove, 1, 11);
    EXPECT_EQ(row(1).storage, 0u);
    EXPECT_EQ(replica.ledger.voters_index(), LogIndex{5});
}

TEST_F(Members, are_what_the_change_says_however_often_it_comes) {
    for (int i = 0; i < 2; ++i) {
        (void)apply(ChangeOp::add_learner, 4, 44, "a");
        EXPECT_EQ(row(4).flags, kMemberLearner);
    }
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(apply(ChangeOp::remove, 2, 22).command.status, Status::ok);
        EXPECT_EQ(row(2).storage, 0u);
    }
    std::size_t members = 0;
    for (std::size_t slot = 0; slot < member_rows(replica.ledger.limits()); ++slot) members += replica.ledger.member(slot).storage != 0;
    EXPECT_EQ(members, 3u);
}

TEST_F(Members, of_another_storage_are_left_alone) {
    (void)apply(ChangeOp::remove, 2, 23);
    (void)apply(ChangeOp::demote, 3, 34);
    EXPECT_EQ(row(2).flags, kMemberVoter);
    EXPECT_EQ(row(3).flags, kMemberVoter);
}

TEST_F(Members, take_the_place_of_one_that_was_removed) {
    for (std::uint16_t node = 4; node <= kVotersMax; ++node) EXPECT_EQ(apply(ChangeOp::add_learner, node, node * 11u).replica, Status::ok);
    EXPECT_EQ(replica.ledger.find_member({}), kNoSlot);
    (void)apply(ChangeOp::remove, 5, 55);
    EXPECT_EQ(apply(ChangeOp::add_learner, 9, 99).replica, Status::ok);
    EXPECT_EQ(row(9).storage, 99u);
}

TEST_F(Members, without_a_place_stop_the_replica_with_its_state_untouched) {
    for (std::uint16_t node = 4; node <= kVotersMax; ++node) (void)apply(ChangeOp::add_learner, node, node * 11u);
    const std::vector<std::byte> before = replica.copy();
    EXPECT_EQ(apply(ChangeOp::add_learner, 9, 99).replica, Status::corrupt);
    EXPECT_EQ(replica.copy(), before);
}

TEST_F(Members, of_a_change_that_is_not_known_or_malformed_stop_the_replica) {
    const auto verdict = [](std::span<const std::byte> payload) {
        Replica fresh;
        (void)fresh.bootstrap();
        return fresh.apply(consensus::EntryType::members, payload).replica;
    };
    const std::vector<std::byte> sound = entry(change_of(ChangeOp::add_learner, 4, 44), "a");
    EXPECT_EQ(verdict(sound), Status::ok);
    EXPECT_EQ(verdict(entry(change_of(static_cast<ChangeOp>(5), 4, 44))), Status::unsupported_version);
    EXPECT_EQ(verdict(entry(change_of(static_cast<ChangeOp>(0), 4, 44))), Status::unsupported_version);
    EXPECT_EQ(verdict(std::span(sound).first(39)), Status::corrupt);
    EXPECT_EQ(verdict(entry(change_of(ChangeOp::add_learner, 0, 44))), Status::corrupt);
    EXPECT_EQ(verdict(entry(change_of(ChangeOp::add_learner, 4, 0))), Status::corrupt);
    EXPECT_EQ(verdict(entry(change_of(ChangeOp::add_learner, 4, 44), std::string(65, 'a'))), Status::corrupt);
    EXPECT_EQ(verdict(entry(change_of(ChangeOp::promote, 1, 11), "a")), Status::corrupt);
}

TEST_F(Members, answer_a_retry_from_the_session_that_asked) {
    (void)replica.open(50);
    const ApplyResult first = apply(ChangeOp::add_learner, 4, 44, "a", 3);
    const SessionRow asked = replica.ledger.session(replica.ledger.find_session(SessionId{50}));
    EXPECT_EQ(asked.sequence, 3u);
    EXPECT_EQ(asked.value, first.command.value);
    EXPECT_EQ(asked.last_used, first.command.value);
    EXPECT_EQ(replica.put(50, 2, "k", "v").status, Status::stale_sequence);
    // A late copy of a change says no more about the session than the session says of itself.
    (void)apply(ChangeOp::remove, 4, 44, {}, 2);
    EXPECT_EQ(replica.ledger.session(replica.ledger.find_session(SessionId{50})).sequence, 3u);
}

TEST_F(Members, change_whatever_became_of_the_session_that_asked) {
    EXPECT_EQ(apply(ChangeOp::add_learner, 4, 44, "a").command.status, Status::ok);
    EXPECT_EQ(row(4).storage, 44u);
    (void)replica.open(50, 8);  // of another node
    EXPECT_EQ(apply(ChangeOp::promote, 4, 44).command.status, Status::ok);
    EXPECT_EQ(row(4).flags, kMemberVoter);
    EXPECT_EQ(replica.ledger.session(replica.ledger.find_session(SessionId{50})).sequence, 0u);
}

TEST_F(Members, are_in_the_state_hash_and_in_the_image) {
    Replica other;
    (void)other.bootstrap();
    (void)apply(ChangeOp::add_learner, 4, 44, "a");
    (void)other.apply(consensus::EntryType::members, entry(change_of(ChangeOp::add_learner, 4, 44), "b"));
    EXPECT_NE(replica.ledger.state_hash(), other.ledger.state_hash());
    ASSERT_EQ(other.ledger.install(replica.copy()), Status::ok);
    EXPECT_EQ(address_of(other.ledger.member(other.ledger.find_member(NodeId{4}))), "a");
    EXPECT_EQ(other.ledger.voters_index(), LogIndex{2});
}

TEST_F(Members, are_changed_by_no_entry_of_another_type) {
    (void)replica.open(50);
    const consensus::ConfigChange change = change_of(ChangeOp::remove, 1, 11);
    EXPECT_EQ(replica.command(50, 1, CommandType::member, raw(change)).status, Status::invalid_argument);
    EXPECT_EQ(replica.command(50, 2, CommandType::transfer, raw(TransferCommand{1, 0, 0})).status, Status::invalid_argument);
    EXPECT_EQ(row(1).flags, kMemberVoter);
}

TEST(MemberCommands, say_which_field_is_wrong_or_that_they_are_of_a_newer_kind) {
    const auto verdict = [](const consensus::ConfigChange& change, std::string_view address = {}) {
        return validate_command(CommandType::member, joined(raw(change), bytes_of_text(address)));
    };
    EXPECT_EQ(verdict(change_of(ChangeOp::add_learner, 4, 44), std::string(64, 'a')), Status::ok);
    EXPECT_EQ(verdict(change_of(ChangeOp::add_learner, 4, 44), std::string(65, 'a')), Status::invalid_argument);
    EXPECT_EQ(verdict(change_of(ChangeOp::add_learner, 4, 0), "a"), Status::invalid_argument);
    EXPECT_EQ(verdict(change_of(ChangeOp::promote, 4, 0)), Status::ok);
    EXPECT_EQ(verdict(change_of(ChangeOp::promote, 4, 0), "a"), Status::invalid_argument);
    EXPECT_EQ(verdict(change_of(ChangeOp::remove, 0, 0)), Status::invalid_argument);
    EXPECT_EQ(verdict(change_of(static_cast<ChangeOp>(9), 4, 0)), Status::unsupported_version);
    EXPECT_EQ(validate_command(CommandType::member, {}), Status::invalid_argument);
    EXPECT_EQ(validate_command(CommandType::transfer, raw(TransferCommand{1, 0, 0})), Status::ok);
    EXPECT_EQ(validate_command(CommandType::transfer, raw(TransferCommand{1, 0, 0}).first(7)), Status::invalid_argument);
}

}  // namespace
}  // namespace dunlin::ledger::test
