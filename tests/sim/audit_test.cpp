#include <dunlin_sim/checkers/advert_checker.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/election_checker.hpp>
#include <dunlin_sim/checkers/journal_checker.hpp>
#include <dunlin_sim/checkers/promise_checker.hpp>
#include <dunlin_sim/checkers/read_rounds.hpp>
#include <dunlin_sim/checkers/session_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/small_cluster.hpp>

#include <dunlin/node/records.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

template <class Fixed>
std::vector<std::byte> packet_with(wire::RecordType type, const Fixed& fixed, std::uint32_t epoch = 1) {
    std::vector<std::byte> packet(256);
    wire::PacketWriter writer(packet);
    EXPECT_TRUE(writer.record(type, fixed));
    packet.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, 1, 2, epoch, 1, 1)));
    return packet;
}
std::vector<std::byte> vote_request(std::uint64_t term) {
    return packet_with(wire::RecordType::vote_request, wire::VoteRequest(term, 1, 1, 0, 0));
}

class Audits : public testing::Test {
  protected:
    Audits() {
        cluster.world.start_all();
        EXPECT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
        cluster.world.run_for(seconds{1});
    }
    [[nodiscard]] StatusReport status(std::size_t process) { return cluster.world.node(process).status(cluster.world.local_now(process)); }

    SmallCluster cluster{1, 3};
    Verdict verdict;
    DurableStates durable{cluster.world};
};

TEST_F(Audits, a_disk_says_what_its_node_knows) {
    for (std::size_t process = 0; process < 3; ++process) {
        EXPECT_EQ(durable.of(process).term(), status(process).term);
        EXPECT_EQ(durable.of(process).epoch(), status(process).epoch);
        EXPECT_EQ(durable.of(process).storage(), status(process).storage);
        EXPECT_EQ(durable.of(process).last_index(), status(process).last_index);
    }
}

// A journal has its first checkpoint, in the second bank, as soon as it is opened with a longer buffer than it was formatted with.
// Bytes in the middle of what an earlier generation of the bank left may look like the head of the next record.
TEST_F(Audits, a_disk_says_nothing_that_no_checksum_vouches_for) {
    std::vector<std::byte> bytes = cluster.world.process(0).disk.image();
    DurableState state;
    EXPECT_TRUE(state.read(bytes, false));
    const BootEpoch epoch = state.epoch();
    const std::uint64_t last = read_journal(bytes).records.rbegin()->first;
    journal::RecordHead head{};
    const std::size_t bank = bytes.size() / 2 / journal::kHeaderSectorBytes * journal::kHeaderSectorBytes;
    journal::BankHeader header{};
    ASSERT_EQ(journal::read_bank_header(std::span(bytes).subspan(bank), header), journal::BankHeaderKind::valid);
    ASSERT_EQ(header.state, journal::BankState::active);
    std::size_t at = bank + journal::kHeaderSectorBytes;
    for (; head.sequence != last; at += journal::record_bytes(head.length)) std::memcpy(&head, &bytes[at], sizeof(head));
    const EpochRecord record = epoch_record(BootEpoch{99});
    head.sequence = last + 1;
    head.length = sizeof(record);
    head.salt += 7;
    head.kind = journal::RecordKind::epoch;
    head.flags = 0;
    std::memcpy(&bytes[at], &head, sizeof(head));
    std::memcpy(&bytes[at + sizeof(head)], &record, sizeof(record));
    EXPECT_FALSE(state.read(bytes, false));
    EXPECT_EQ(state.epoch(), epoch);
    head.crc = journal::record_crc(head, std::span(bytes).subspan(at + sizeof(head), sizeof(record)), journal::bank_seed(header));
    std::memcpy(&bytes[at], &head, sizeof(head));
    EXPECT_TRUE(state.read(bytes, false));
    EXPECT_EQ(state.epoch(), BootEpoch{99});
}

TEST_F(Audits, catches_an_epoch_that_is_not_on_disk) {
    PromiseChecker checker(cluster.world, verdict, durable);
    const BootEpoch spoken = status(0).epoch;
    checker.on_epoch(kNow, 0, spoken);
    EXPECT_TRUE(verdict.clean());
    checker.on_epoch(kNow, 0, spoken.next());
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'durable before promised' violated")));
}

TEST_F(Audits, catches_a_floor_that_is_not_on_disk) {
    PromiseChecker checker(cluster.world, verdict, durable);
    checker.handled_under(kNow, 1, LeaseKey{7}, Token{5});
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'durable before promised' violated")));
}

TEST_F(Audits, catches_a_term_and_a_vote_that_are_not_on_disk) {
    PromiseChecker checker(cluster.world, verdict, durable);
    checker.on_send(kNow, 0, 1, vote_request(99));
    EXPECT_THAT(verdict.violations(),
                ElementsAre(StartsWith("'durable before promised' violated"), StartsWith("'durable before promised' violated")));
}

TEST_F(Audits, catches_a_campaign_that_nobody_consented_to) {
    const Configurations founders(cluster.world, durable, {0, 1, 2}, 0b111);
    ElectionChecker checker(cluster.world, verdict, founders);
    checker.on_send(kNow, 0, 1, vote_request(98));
    EXPECT_TRUE(verdict.clean());  // there was no leader yet
    Event elected;
    elected.kind = EventKind::role_changed;
    elected.value = static_cast<std::uint64_t>(consensus::Role::leader);
    checker.on_event(kNow, 1, cluster.world.node(1), elected);
    checker.on_send(kNow, 0, 1, vote_request(99));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'no campaign without consent' violated")));
}

TEST_F(Audits, take_a_majority_of_those_who_vote_as_of_the_log) {
    consensus::ConfigChange change{};
    change.node = 2;
    change.op = static_cast<std::uint8_t>(consensus::ChangeOp::demote);
    const auto bytes = std::as_bytes(std::span(&change, 1));
    Configurations configurations(cluster.world, durable, {0, 1, 2}, 0b11);
    configurations.committed(LogIndex{5}, {Term{1}, {}, consensus::EntryType::members, {bytes.begin(), bytes.end()}}, NodeId{2});
    EXPECT_EQ(configurations.as_of(LogIndex{4}), 0b11U);
    EXPECT_EQ(configurations.as_of(LogIndex{5}), 0b01U);
    EXPECT_EQ(configurations.news()[static_cast<std::size_t>(MemberNews::left_as_leader)], 1U);
}

TEST_F(Audits, allow_for_a_change_that_was_asked_for_and_is_on_no_disk_yet) {
    consensus::ConfigChange change{};
    change.node = 2;
    change.op = static_cast<std::uint8_t>(consensus::ChangeOp::demote);
    Configurations configurations(cluster.world, durable, {0, 1, 2}, 0b11);
    EXPECT_FALSE(configurations.majority_at(kNow, 0, 0b01));
    configurations.asked(kNow, change);
    EXPECT_TRUE(configurations.majority_at(kNow, 0, 0b01));
    EXPECT_FALSE(configurations.majority_at(kNow + seconds{11}, 0, 0b01));
}

TEST_F(Audits, catches_an_advertisement_that_is_repeated_at_once) {
    AdvertChecker checker(cluster.world, verdict);
    const auto packet = packet_with(wire::RecordType::unsubscribe, wire::Unsubscribe(7, 0));
    checker.on_send(kNow, 0, 1, packet);
    checker.on_acked(0, 1);
    checker.on_send(kNow, 0, 1, packet);
    EXPECT_TRUE(verdict.clean());
    checker.on_send(kNow, 0, 1, packet);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'advertisements back off' violated")));
}

TEST(ReadRounds, count_whom_a_later_round_has_reached_in_this_term) {
    ReadRounds rounds;
    rounds.on_send(0, packet_with(wire::RecordType::append, wire::Append(5, 0, 0, 0, 0, 3, 0, 0, 0, 0)));
    EXPECT_EQ(rounds.last(0), 3U);
    rounds.on_receive(0, 1, packet_with(wire::RecordType::append_reply, wire::AppendReply(5, 3, 0, 0, 0, 1, 0, 0, 0)));
    rounds.on_receive(0, 2, packet_with(wire::RecordType::append_reply, wire::AppendReply(4, 9, 0, 0, 0, 1, 0, 0, 0)));
    EXPECT_EQ(rounds.answered_after(0, 2), set_of(1));
    EXPECT_EQ(rounds.answered_after(0, 3), 0U);
    rounds.on_send(0, packet_with(wire::RecordType::append, wire::Append(6, 0, 0, 0, 0, 4, 0, 0, 0, 0)));
    EXPECT_EQ(rounds.answered_after(0, 2), 0U);
}

TEST(SessionChecker, catches_a_session_with_an_earlier_life) {
    Verdict verdict;
    SessionChecker checker(verdict);
    Event opened;
    opened.kind = EventKind::session_opened;
    opened.node = NodeId{2};
    opened.value = 5;
    checker.on_event(kNow, 0, opened);
    EXPECT_TRUE(verdict.clean());
    opened.value = 4;
    checker.on_event(kNow, 0, opened);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'an earlier life is not believed' violated")));
}

TEST(SessionChecker, catches_an_echo_of_an_earlier_life) {
    Verdict verdict;
    SessionChecker checker(verdict);
    Event opened;
    opened.kind = EventKind::session_opened;
    opened.node = NodeId{1};
    opened.value = 5;
    checker.on_event(kNow, 0, opened);
    checker.on_receive(0, packet_with(wire::RecordType::hello, wire::Hello(77, 0, 1, 1, 1, 1200, 1, 1, 0, 0, 0, 0), 4));
    checker.on_send(kNow, 0, packet_with(wire::RecordType::hello, wire::Hello(88, 66, 1, 1, 1, 1200, 1, 1, 0, 0, 0, 0)));
    EXPECT_TRUE(verdict.clean());
    checker.on_send(kNow, 0, packet_with(wire::RecordType::hello, wire::Hello(88, 77, 1, 1, 1, 1200, 1, 1, 0, 0, 0, 0)));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'an earlier life is not believed' violated")));
}

}  // namespace
}  // namespace dunlin::sim
