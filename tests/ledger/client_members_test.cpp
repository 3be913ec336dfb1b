// What a client knows of the voters, and asks for to change them.
#include "ledger/client_fixture.hpp"

#include <dunlin/ledger/voter_set_reader.hpp>

namespace dunlin::ledger::test {
namespace {

TEST(ClientWithoutVoters, asks_each_peer_for_them_in_turn_and_learns_them_from_the_record) {
    std::array<Request, 2> requests{};
    std::array<std::byte, 64> values{};
    std::array<Event, 8> event_slots{};
    Counters counters;
    EventQueue events{event_slots, counters};
    Random random{1};
    Client client({requests, values, 32}, {}, counters, random, events);
    EXPECT_EQ(client.next_deadline(), kNever);
    client.on_session_open(ClientTest::at(0), NodeId{5});
    client.on_session_open(ClientTest::at(0), NodeId{6});
    EXPECT_TRUE(client.wants_to_send(NodeId{6}));
    Packet packet;
    client.write_records(ClientTest::at(0), NodeId{6}, packet.writer());
    EXPECT_EQ(packet.records()[0].as<wire::Read>().kind(), static_cast<std::uint8_t>(ReadKind::voters));
    client.on_timeout(client.next_deadline());
    EXPECT_TRUE(client.wants_to_send(NodeId{5}));
    const std::array<std::uint8_t, 64> address{'h', 'i'};
    const std::array entries{wire::VoterEntry(11, 1, 2, 0, address), wire::VoterEntry(22, 2, 0, 0, std::array<std::uint8_t, 64>{})};
    const Built built(wire::RecordType::voter_set, wire::VoterSet(1, 2, 0), std::as_bytes(std::span(entries)));
    EXPECT_TRUE(client.on_record(ClientTest::at(1), NodeId{5}, built.record));
    EXPECT_TRUE(client.voters_known());
    const VoterSetReader reader(built.record);
    EXPECT_EQ(reader.voter(0).address_length, 2u);
    EXPECT_EQ(std::to_integer<char>(reader.voter(0).address[1]), 'i');
}

// Two voters tell what they know, and one of them is behind.
TEST_F(ClientTest, believes_the_voter_set_of_the_higher_index_whichever_comes_last) {
    const auto told = [this](std::uint64_t index, std::uint16_t node) {
        const std::array entries{wire::VoterEntry(node * 11u, node, 0, 0, std::array<std::uint8_t, 64>{})};
        EXPECT_TRUE(client.on_record(
            at(1), NodeId{1}, Built(wire::RecordType::voter_set, wire::VoterSet(index, 1, 0), std::as_bytes(std::span(entries))).record));
    };
    told(9, 4);
    EXPECT_TRUE(client.is_target(NodeId{4}));
    EXPECT_FALSE(client.is_target(NodeId{1}));
    told(8, 1);
    EXPECT_TRUE(client.is_target(NodeId{4}));
    EXPECT_FALSE(client.is_target(NodeId{1}));
    EXPECT_EQ(client.voters_index(), LogIndex{9});
    told(10, 1);
    EXPECT_TRUE(client.is_target(NodeId{1}));
}

TEST_F(ClientTest, writes_a_change_of_members_with_an_address_of_any_length) {
    open(at(0));
    const std::string address(64, 'a');
    const consensus::ConfigChange change{
        .storage = 44, .node = 4, .op = static_cast<std::uint8_t>(consensus::ChangeOp::add_learner), .reserved0 = 0, .reserved1 = 0};
    ASSERT_TRUE(client.change_member(at(1), {change, bytes_of_text(address)}).ok());
    const auto records = written(at(1), NodeId{1});
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].as<wire::Command>().type(), static_cast<std::uint8_t>(CommandType::member));
    MemberCommand command{};
    ASSERT_EQ(decode(records[0].bytes, command), Status::ok);
    EXPECT_EQ(command.change.storage, 44u);
    EXPECT_EQ(command.change.node, 4u);
    EXPECT_TRUE(std::ranges::equal(command.address, bytes_of_text(address)));
    reply(at(2), NodeId{1}, records[0].as<wire::Command>(), Status::ok, 17);
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.value, 17u);
}

TEST_F(ClientTest, refuses_a_change_of_members_that_no_leader_would_take) {
    consensus::ConfigChange change{};
    EXPECT_EQ(client.change_member(at(1), {change, {}}).status(), Status::unsupported_version);
    change.op = static_cast<std::uint8_t>(consensus::ChangeOp::remove);
    EXPECT_EQ(client.change_member(at(1), {change, {}}).status(), Status::invalid_argument);
    change.node = 4;
    const std::string address(65, 'a');
    EXPECT_EQ(client.change_member(at(1), {change, bytes_of_text(address)}).status(), Status::too_large);
    EXPECT_EQ(client.transfer(at(1), {}).status(), Status::invalid_argument);
    EXPECT_TRUE(client.change_member(at(1), {change, {}}).ok());
}

// The one that leads sends it on to the one that is to lead, and that one says so.
TEST_F(ClientTest, asks_for_a_transfer_until_it_has_come_about) {
    open(at(0));
    ASSERT_TRUE(client.transfer(at(1), NodeId{2}).ok());
    const wire::Command first = command(at(1), NodeId{1});
    EXPECT_EQ(first.type(), static_cast<std::uint8_t>(CommandType::transfer));
    reply(at(2), NodeId{1}, first, Status::busy);
    const Instant again = client.next_deadline();
    client.on_timeout(again);
    reply(again, NodeId{1}, command(again, NodeId{1}), Status::not_leader, 0, NodeId{2});
    reply(again, NodeId{2}, command(again, NodeId{2}), Status::ok);
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.status, Status::ok);
}

TEST(VoterSetReader, takes_nothing_from_a_malformed_record) {
    const std::array entries{wire::VoterEntry(11, 1, 65, 0, std::array<std::uint8_t, 64>{})};
    EXPECT_EQ(VoterSetReader(Built(wire::RecordType::voter_set, wire::VoterSet(1, 1, 0), std::as_bytes(std::span(entries))).record).count(),
              0u);
    EXPECT_EQ(VoterSetReader(Built(wire::RecordType::voter_set, wire::VoterSet(1, 2, 0), std::as_bytes(std::span(entries))).record).count(),
              0u);
    EXPECT_EQ(VoterSetReader(Built(wire::RecordType::voter_set, wire::VoterSet(1, 0xffffffff, 0)).record).count(), 0u);
}

}  // namespace
}  // namespace dunlin::ledger::test
