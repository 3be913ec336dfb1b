#include "wire/hex.hpp"

#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <utility>

// Every struct of wire.fbs, pinned: byte number n of each vector is n, so a field that moves, grows, shrinks or changes places
// with another reads back a different number. Read by name and built in the order of wire.fbs. A vector only ever grows at its end.
namespace dunlin::wire {
namespace {

using test::from_hex;
using test::to_hex;

template <WireStruct S>
void expect_bytes(const S& value, std::string_view expected) {
    EXPECT_EQ(to_hex(bytes_of(value)), expected);
}

TEST(GoldenVectors, packet_header) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728";
    const auto value = load<PacketHeader>(from_hex(kBytes));
    EXPECT_EQ(value.magic(), 0x0201U);
    EXPECT_EQ(value.version(), 0x03U);
    EXPECT_EQ(value.flags(), 0x04U);
    EXPECT_EQ(value.crc32c(), 0x08070605U);
    EXPECT_EQ(value.cluster(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.source(), 0x1211U);
    EXPECT_EQ(value.destination(), 0x1413U);
    EXPECT_EQ(value.epoch(), 0x18171615U);
    EXPECT_EQ(value.session(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.number(), 0x2827262524232221U);
    expect_bytes(PacketHeader(value.magic(), value.version(), value.flags(), value.crc32c(), value.cluster(), value.source(),
                              value.destination(), value.epoch(), value.session(), value.number()),
                 kBytes);
}

TEST(GoldenVectors, record_head) {
    constexpr std::string_view kBytes = "01020304";
    const auto value = load<RecordHead>(from_hex(kBytes));
    EXPECT_EQ(value.length(), 0x0201U);
    EXPECT_EQ(value.type(), 0x03U);
    EXPECT_EQ(value.fixed_length(), 0x04U);
    expect_bytes(RecordHead(value.length(), value.type(), value.fixed_length()), kBytes);
}

TEST(GoldenVectors, hello) {
    constexpr std::string_view kBytes =
        "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738";
    const auto value = load<Hello>(from_hex(kBytes));
    EXPECT_EQ(value.nonce(), 0x0807060504030201U);
    EXPECT_EQ(value.echo(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.instance(), 0x1817161514131211U);
    EXPECT_EQ(value.storage(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.stream(), 0x2827262524232221U);
    EXPECT_EQ(value.packet_bytes_max(), 0x2a29U);
    EXPECT_EQ(value.version_min(), 0x2bU);
    EXPECT_EQ(value.version_max(), 0x2cU);
    EXPECT_EQ(value.flags(), 0x302f2e2dU);
    EXPECT_EQ(value.credit_messages(), 0x3231U);
    EXPECT_EQ(value.credit_units(), 0x3433U);
    EXPECT_EQ(value.reserved(), 0x38373635U);
    expect_bytes(
        Hello(value.nonce(), value.echo(), value.instance(), value.storage(), value.stream(), value.packet_bytes_max(), value.version_min(),
              value.version_max(), value.flags(), value.credit_messages(), value.credit_units(), value.reserved()),
        kBytes);
}

TEST(GoldenVectors, lane_state) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    const auto value = load<LaneState>(from_hex(kBytes));
    EXPECT_EQ(value.stream(), 0x0807060504030201U);
    EXPECT_EQ(value.cumulative(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.first_unsettled(), 0x1817161514131211U);
    EXPECT_EQ(value.lane(), 0x19U);
    EXPECT_EQ(value.reserved0(), 0x1aU);
    EXPECT_EQ(value.reserved1(), 0x1c1bU);
    EXPECT_EQ(value.reserved2(), 0x201f1e1dU);
    expect_bytes(LaneState(value.stream(), value.cumulative(), value.first_unsettled(), value.lane(), value.reserved0(), value.reserved1(),
                           value.reserved2()),
                 kBytes);
}

TEST(GoldenVectors, hello_refused) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<HelloRefused>(from_hex(kBytes));
    EXPECT_EQ(value.echo(), 0x0807060504030201U);
    EXPECT_EQ(value.epoch_known(), 0x0c0b0a09U);
    EXPECT_EQ(value.reason(), 0x0dU);
    EXPECT_EQ(value.live(), 0x0eU);
    EXPECT_EQ(value.silence_ms(), 0x100fU);
    expect_bytes(HelloRefused(value.echo(), value.epoch_known(), value.reason(), value.live(), value.silence_ms()), kBytes);
}

TEST(GoldenVectors, goodbye) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<Goodbye>(from_hex(kBytes));
    EXPECT_EQ(value.reason(), 0x04030201U);
    EXPECT_EQ(value.reserved(), 0x08070605U);
    expect_bytes(Goodbye(value.reason(), value.reserved()), kBytes);
}

TEST(GoldenVectors, ack) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<Ack>(from_hex(kBytes));
    EXPECT_EQ(value.largest(), 0x0807060504030201U);
    EXPECT_EQ(value.first_length(), 0x0c0b0a09U);
    EXPECT_EQ(value.delay_us(), 0x100f0e0dU);
    EXPECT_EQ(value.range_count(), 0x1211U);
    EXPECT_EQ(value.reserved0(), 0x1413U);
    EXPECT_EQ(value.reserved1(), 0x18171615U);
    expect_bytes(Ack(value.largest(), value.first_length(), value.delay_us(), value.range_count(), value.reserved0(), value.reserved1()),
                 kBytes);
}

TEST(GoldenVectors, ack_range) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<AckRange>(from_hex(kBytes));
    EXPECT_EQ(value.gap(), 0x04030201U);
    EXPECT_EQ(value.length(), 0x08070605U);
    expect_bytes(AckRange(value.gap(), value.length()), kBytes);
}

TEST(GoldenVectors, ping) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<Ping>(from_hex(kBytes));
    EXPECT_EQ(value.reserved(), 0x0807060504030201U);
    expect_bytes(Ping(value.reserved()), kBytes);
}

// What tries out a packet size is a ping whose bytes, all zero, fill the packet: so the whole of it is pinned.
TEST(GoldenVectors, a_padded_ping_fills_its_packet_with_zeros) {
    constexpr std::string_view kBytes =
        "444e0100a4869b4e010000000000000002000300040000000500000000000000060000000000000018000908000000000000000000000000"
        "0000000000000000";
    std::array<std::byte, 64> buffer;
    buffer.fill(std::byte{0xee});
    PacketWriter writer(buffer);
    ASSERT_TRUE(writer.begin(RecordType::ping, Ping(0)));
    ASSERT_EQ(writer.extend(writer.room()).size(), 12U);
    writer.end();
    ASSERT_EQ(writer.finish(PacketHeader(0, 0, 0, 0, 1, 2, 3, 4, 5, 6)), buffer.size());
    EXPECT_EQ(to_hex(buffer), kBytes);
    Counters counters;
    auto reader = PacketReader::open(buffer, counters);
    ASSERT_TRUE(reader);
    Record record;
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::ping);
    EXPECT_EQ(record.bytes.size(), 12U);
    EXPECT_FALSE(reader->next(record));
}

TEST(GoldenVectors, run) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<wire::Run>(from_hex(kBytes));
    EXPECT_EQ(value.first_sequence(), 0x0807060504030201U);
    EXPECT_EQ(value.lamport(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.lane(), 0x11U);
    EXPECT_EQ(value.reserved0(), 0x12U);
    EXPECT_EQ(value.count(), 0x1413U);
    EXPECT_EQ(value.reserved1(), 0x18171615U);
    expect_bytes(wire::Run(value.first_sequence(), value.lamport(), value.lane(), value.reserved0(), value.count(), value.reserved1()),
                 kBytes);
}

TEST(GoldenVectors, message_head) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<MessageHead>(from_hex(kBytes));
    EXPECT_EQ(value.length(), 0x0201U);
    EXPECT_EQ(value.alias(), 0x0403U);
    EXPECT_EQ(value.lifetime(), 0x0605U);
    EXPECT_EQ(value.lifetime_shift(), 0x07U);
    EXPECT_EQ(value.flags(), 0x08U);
    expect_bytes(MessageHead(value.length(), value.alias(), value.lifetime(), value.lifetime_shift(), value.flags()), kBytes);
}

TEST(GoldenVectors, fence_block) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<FenceBlock>(from_hex(kBytes));
    EXPECT_EQ(value.lease(), 0x0807060504030201U);
    EXPECT_EQ(value.token(), 0x100f0e0d0c0b0a09U);
    expect_bytes(FenceBlock(value.lease(), value.token()), kBytes);
}

TEST(GoldenVectors, key_block) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<KeyBlock>(from_hex(kBytes));
    EXPECT_EQ(value.high(), 0x0807060504030201U);
    EXPECT_EQ(value.low(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.lifetime_ms(), 0x14131211U);
    EXPECT_EQ(value.reserved(), 0x18171615U);
    expect_bytes(KeyBlock(value.high(), value.low(), value.lifetime_ms(), value.reserved()), kBytes);
}

TEST(GoldenVectors, fragment_block) {
    constexpr std::string_view kBytes = "01020304";
    const auto value = load<FragmentBlock>(from_hex(kBytes));
    EXPECT_EQ(value.total(), 0x0201U);
    EXPECT_EQ(value.index(), 0x0403U);
    expect_bytes(FragmentBlock(value.total(), value.index()), kBytes);
}

TEST(GoldenVectors, settlement) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<Settlement>(from_hex(kBytes));
    EXPECT_EQ(value.stream(), 0x0807060504030201U);
    EXPECT_EQ(value.cumulative(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.lane(), 0x11U);
    EXPECT_EQ(value.exception_count(), 0x12U);
    EXPECT_EQ(value.bitmap_words(), 0x1413U);
    EXPECT_EQ(value.credit_messages(), 0x1615U);
    EXPECT_EQ(value.credit_units(), 0x1817U);
    expect_bytes(Settlement(value.stream(), value.cumulative(), value.lane(), value.exception_count(), value.bitmap_words(),
                            value.credit_messages(), value.credit_units()),
                 kBytes);
}

TEST(GoldenVectors, settlement_exception) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<SettlementException>(from_hex(kBytes));
    EXPECT_EQ(value.sequence(), 0x0807060504030201U);
    EXPECT_EQ(value.outcome(), 0x09U);
    EXPECT_EQ(value.effect(), 0x0aU);
    EXPECT_EQ(value.reserved0(), 0x0c0bU);
    EXPECT_EQ(value.reserved1(), 0x100f0e0dU);
    expect_bytes(SettlementException(value.sequence(), value.outcome(), value.effect(), value.reserved0(), value.reserved1()), kBytes);
}

TEST(GoldenVectors, skip) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<Skip>(from_hex(kBytes));
    EXPECT_EQ(value.first(), 0x0807060504030201U);
    EXPECT_EQ(value.count(), 0x0c0b0a09U);
    EXPECT_EQ(value.lane(), 0x0dU);
    EXPECT_EQ(value.flags(), 0x0eU);
    EXPECT_EQ(value.each(), 0x100fU);
    expect_bytes(Skip(value.first(), value.count(), value.lane(), value.flags(), value.each()), kBytes);
}

TEST(GoldenVectors, alias_declare) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<AliasDeclare>(from_hex(kBytes));
    EXPECT_EQ(value.subscription(), 0x04030201U);
    EXPECT_EQ(value.alias(), 0x0605U);
    EXPECT_EQ(value.reserved(), 0x0807U);
    expect_bytes(AliasDeclare(value.subscription(), value.alias(), value.reserved()), kBytes);
}

TEST(GoldenVectors, subscribe) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<Subscribe>(from_hex(kBytes));
    EXPECT_EQ(value.generation(), 0x04030201U);
    EXPECT_EQ(value.subscription(), 0x08070605U);
    EXPECT_EQ(value.flags(), 0x0c0b0a09U);
    EXPECT_EQ(value.reserved(), 0x100f0e0dU);
    expect_bytes(Subscribe(value.generation(), value.subscription(), value.flags(), value.reserved()), kBytes);
}

TEST(GoldenVectors, unsubscribe) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<Unsubscribe>(from_hex(kBytes));
    EXPECT_EQ(value.generation(), 0x04030201U);
    EXPECT_EQ(value.subscription(), 0x08070605U);
    expect_bytes(Unsubscribe(value.generation(), value.subscription()), kBytes);
}

TEST(GoldenVectors, subscriptions_acked) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<SubscriptionsAcked>(from_hex(kBytes));
    EXPECT_EQ(value.generation(), 0x04030201U);
    EXPECT_EQ(value.refused(), 0x08070605U);
    expect_bytes(SubscriptionsAcked(value.generation(), value.refused()), kBytes);
}

TEST(GoldenVectors, heartbeat) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<Heartbeat>(from_hex(kBytes));
    EXPECT_EQ(value.sequence(), 0x0807060504030201U);
    EXPECT_EQ(value.interval_us(), 0x0c0b0a09U);
    EXPECT_EQ(value.flags(), 0x100f0e0dU);
    expect_bytes(Heartbeat(value.sequence(), value.interval_us(), value.flags()), kBytes);
}

TEST(GoldenVectors, vote_request) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    const auto value = load<VoteRequest>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.last_index(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.last_term(), 0x1817161514131211U);
    EXPECT_EQ(value.flags(), 0x1c1b1a19U);
    EXPECT_EQ(value.reserved(), 0x201f1e1dU);
    expect_bytes(VoteRequest(value.term(), value.last_index(), value.last_term(), value.flags(), value.reserved()), kBytes);
}

TEST(GoldenVectors, vote_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<VoteReply>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.request_term(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.flags(), 0x14131211U);
    EXPECT_EQ(value.reserved(), 0x18171615U);
    expect_bytes(VoteReply(value.term(), value.request_term(), value.flags(), value.reserved()), kBytes);
}

TEST(GoldenVectors, append) {
    constexpr std::string_view kBytes =
        "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132"
        "333435363738393a3b3c3d3e3f404142434445464748";
    const auto value = load<Append>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.prev_index(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.prev_term(), 0x1817161514131211U);
    EXPECT_EQ(value.commit(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.cluster_time(), 0x2827262524232221U);
    EXPECT_EQ(value.round(), 0x302f2e2d2c2b2a29U);
    EXPECT_EQ(value.entry_count(), 0x34333231U);
    EXPECT_EQ(value.flags(), 0x38373635U);
    EXPECT_EQ(value.checked_index(), 0x403f3e3d3c3b3a39U);
    EXPECT_EQ(value.checked_hash(), 0x4847464544434241U);
    expect_bytes(Append(value.term(), value.prev_index(), value.prev_term(), value.commit(), value.cluster_time(), value.round(),
                        value.entry_count(), value.flags(), value.checked_index(), value.checked_hash()),
                 kBytes);
}

TEST(GoldenVectors, entry_head) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<EntryHead>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.cluster_time(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.length(), 0x1211U);
    EXPECT_EQ(value.type(), 0x13U);
    EXPECT_EQ(value.reserved0(), 0x14U);
    EXPECT_EQ(value.reserved1(), 0x18171615U);
    expect_bytes(EntryHead(value.term(), value.cluster_time(), value.length(), value.type(), value.reserved0(), value.reserved1()), kBytes);
}

TEST(GoldenVectors, append_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30";
    const auto value = load<AppendReply>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.round(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.match_index(), 0x1817161514131211U);
    EXPECT_EQ(value.hint_index(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.hint_term(), 0x2827262524232221U);
    EXPECT_EQ(value.flags(), 0x2c2b2a29U);
    EXPECT_EQ(value.rank(), 0x2dU);
    EXPECT_EQ(value.feature_level(), 0x2eU);
    EXPECT_EQ(value.reserved(), 0x302fU);
    expect_bytes(AppendReply(value.term(), value.round(), value.match_index(), value.hint_index(), value.hint_term(), value.flags(),
                             value.rank(), value.feature_level(), value.reserved()),
                 kBytes);
}

TEST(GoldenVectors, snapshot_chunk) {
    constexpr std::string_view kBytes =
        "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132"
        "333435363738";
    const auto value = load<SnapshotChunk>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.index(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.index_term(), 0x1817161514131211U);
    EXPECT_EQ(value.cluster_time(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.round(), 0x2827262524232221U);
    EXPECT_EQ(value.total_bytes(), 0x2c2b2a29U);
    EXPECT_EQ(value.offset(), 0x302f2e2dU);
    EXPECT_EQ(value.crc32c(), 0x34333231U);
    EXPECT_EQ(value.reserved(), 0x38373635U);
    expect_bytes(SnapshotChunk(value.term(), value.index(), value.index_term(), value.cluster_time(), value.round(), value.total_bytes(),
                               value.offset(), value.crc32c(), value.reserved()),
                 kBytes);
}

TEST(GoldenVectors, snapshot_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    const auto value = load<SnapshotReply>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    EXPECT_EQ(value.index(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.round(), 0x1817161514131211U);
    EXPECT_EQ(value.next_offset(), 0x1c1b1a19U);
    EXPECT_EQ(value.reserved(), 0x201f1e1dU);
    expect_bytes(SnapshotReply(value.term(), value.index(), value.round(), value.next_offset(), value.reserved()), kBytes);
}

TEST(GoldenVectors, timeout_now) {
    constexpr std::string_view kBytes = "0102030405060708";
    const auto value = load<TimeoutNow>(from_hex(kBytes));
    EXPECT_EQ(value.term(), 0x0807060504030201U);
    expect_bytes(TimeoutNow(value.term()), kBytes);
}

TEST(GoldenVectors, command) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<Command>(from_hex(kBytes));
    EXPECT_EQ(value.session(), 0x0807060504030201U);
    EXPECT_EQ(value.sequence(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.attempt(), 0x14131211U);
    EXPECT_EQ(value.type(), 0x15U);
    EXPECT_EQ(value.reserved0(), 0x16U);
    EXPECT_EQ(value.reserved1(), 0x1817U);
    expect_bytes(Command(value.session(), value.sequence(), value.attempt(), value.type(), value.reserved0(), value.reserved1()), kBytes);
}

TEST(GoldenVectors, command_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728";
    const auto value = load<CommandReply>(from_hex(kBytes));
    EXPECT_EQ(value.session(), 0x0807060504030201U);
    EXPECT_EQ(value.sequence(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.value(), 0x1817161514131211U);
    EXPECT_EQ(value.detail(), 0x201f1e1d1c1b1a19U);
    EXPECT_EQ(value.attempt(), 0x24232221U);
    EXPECT_EQ(value.status(), 0x25U);
    EXPECT_EQ(value.reserved(), 0x26U);
    EXPECT_EQ(value.leader(), 0x2827U);
    expect_bytes(CommandReply(value.session(), value.sequence(), value.value(), value.detail(), value.attempt(), value.status(),
                              value.reserved(), value.leader()),
                 kBytes);
}

TEST(GoldenVectors, renew) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<Renew>(from_hex(kBytes));
    EXPECT_EQ(value.request(), 0x0807060504030201U);
    EXPECT_EQ(value.token(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.slot(), 0x1211U);
    EXPECT_EQ(value.reserved0(), 0x1413U);
    EXPECT_EQ(value.reserved1(), 0x18171615U);
    expect_bytes(Renew(value.request(), value.token(), value.slot(), value.reserved0(), value.reserved1()), kBytes);
}

TEST(GoldenVectors, renew_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718";
    const auto value = load<RenewReply>(from_hex(kBytes));
    EXPECT_EQ(value.request(), 0x0807060504030201U);
    EXPECT_EQ(value.token(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.status(), 0x11U);
    EXPECT_EQ(value.reserved(), 0x12U);
    EXPECT_EQ(value.leader(), 0x1413U);
    EXPECT_EQ(value.reserved1(), 0x18171615U);
    expect_bytes(RenewReply(value.request(), value.token(), value.status(), value.reserved(), value.leader(), value.reserved1()), kBytes);
}

TEST(GoldenVectors, read) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<Read>(from_hex(kBytes));
    EXPECT_EQ(value.request(), 0x0807060504030201U);
    EXPECT_EQ(value.kind(), 0x09U);
    EXPECT_EQ(value.reserved0(), 0x0aU);
    EXPECT_EQ(value.reserved1(), 0x0c0bU);
    EXPECT_EQ(value.reserved2(), 0x100f0e0dU);
    expect_bytes(Read(value.request(), value.kind(), value.reserved0(), value.reserved1(), value.reserved2()), kBytes);
}

TEST(GoldenVectors, read_reply) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    const auto value = load<ReadReply>(from_hex(kBytes));
    EXPECT_EQ(value.request(), 0x0807060504030201U);
    EXPECT_EQ(value.revision(), 0x100f0e0d0c0b0a09U);
    EXPECT_EQ(value.detail(), 0x1817161514131211U);
    EXPECT_EQ(value.status(), 0x19U);
    EXPECT_EQ(value.kind(), 0x1aU);
    EXPECT_EQ(value.leader(), 0x1c1bU);
    EXPECT_EQ(value.reserved(), 0x201f1e1dU);
    expect_bytes(
        ReadReply(value.request(), value.revision(), value.detail(), value.status(), value.kind(), value.leader(), value.reserved()),
        kBytes);
}

TEST(GoldenVectors, voter_set) {
    constexpr std::string_view kBytes = "0102030405060708090a0b0c0d0e0f10";
    const auto value = load<VoterSet>(from_hex(kBytes));
    EXPECT_EQ(value.index(), 0x0807060504030201U);
    EXPECT_EQ(value.count(), 0x0c0b0a09U);
    EXPECT_EQ(value.reserved(), 0x100f0e0dU);
    expect_bytes(VoterSet(value.index(), value.count(), value.reserved()), kBytes);
}

TEST(GoldenVectors, voter_entry) {
    constexpr std::string_view kBytes =
        "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132"
        "333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f50";
    const auto value = load<VoterEntry>(from_hex(kBytes));
    EXPECT_EQ(value.storage(), 0x0807060504030201U);
    EXPECT_EQ(value.node(), 0x0a09U);
    EXPECT_EQ(value.address_length(), 0x0c0bU);
    EXPECT_EQ(value.reserved(), 0x100f0e0dU);
    for (std::uint16_t i = 0; i < 64; ++i) EXPECT_EQ(value.address()->Get(i), 17 + i);
    std::array<std::uint8_t, 64> address{};
    for (std::size_t i = 0; i < address.size(); ++i) address[i] = static_cast<std::uint8_t>(17 + i);
    expect_bytes(
        VoterEntry(value.storage(), value.node(), value.address_length(), value.reserved(), flatbuffers::make_span(std::as_const(address))),
        kBytes);
}

}  // namespace
}  // namespace dunlin::wire
