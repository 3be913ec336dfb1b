#include "wire/hex.hpp"
#include "wire/packets.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace dunlin::wire {
namespace {

// Computed by a separate implementation: a ping, and the alias 0x0506 of subscription 0x01020304 for topic lab/t.
constexpr std::string_view kPacket =
    "444e0100d1641e348877665544332211"
    "0300050007000000a8a7a6a5a4a3a2a1"
    "0900000000000000"
    "0c0009080000000000000000"
    "110013080403020106050000"
    "6c61622f74"
    "000000";

constexpr std::array<std::byte, 5> kTopic{std::byte{'l'}, std::byte{'a'}, std::byte{'b'}, std::byte{'/'}, std::byte{'t'}};

TEST(GoldenPacket, is_written_to_the_byte) {
    std::array<std::byte, 80> buffer{};
    PacketWriter writer(buffer);
    ASSERT_TRUE(writer.record(RecordType::ping, Ping(0)));
    ASSERT_TRUE(writer.record(RecordType::alias_declare, AliasDeclare(0x01020304, 0x0506, 0), kTopic));
    const std::size_t length = writer.finish(test::some_header());
    EXPECT_EQ(test::to_hex(std::span(buffer).first(length)), kPacket);
}

TEST(GoldenPacket, is_read_as_it_was_meant) {
    const test::Bytes packet = test::from_hex(kPacket);
    Counters counters;
    auto reader = PacketReader::open(packet, counters);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->header().cluster(), 0x1122334455667788U);
    EXPECT_EQ(reader->header().source(), 3U);
    EXPECT_EQ(reader->header().destination(), 5U);
    EXPECT_EQ(reader->header().epoch(), 7U);
    EXPECT_EQ(reader->header().session(), 0xa1a2a3a4a5a6a7a8U);
    EXPECT_EQ(reader->header().number(), 9U);
    Record record;
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::ping);
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.as<AliasDeclare>().subscription(), 0x01020304U);
    EXPECT_EQ(record.as<AliasDeclare>().alias(), 0x0506U);
    EXPECT_TRUE(std::ranges::equal(record.bytes, kTopic));
    EXPECT_FALSE(reader->next(record));
}

TEST(GoldenNumbers, of_record_types_never_change) {
    constexpr std::pair<RecordType, int> kNumbers[] = {
        {RecordType::hello, 1},
        {RecordType::hello_refused, 2},
        {RecordType::lane_state, 3},
        {RecordType::goodbye, 4},
        {RecordType::ack, 8},
        {RecordType::ping, 9},
        {RecordType::run, 16},
        {RecordType::settlement, 17},
        {RecordType::skip, 18},
        {RecordType::alias_declare, 19},
        {RecordType::subscribe, 24},
        {RecordType::unsubscribe, 25},
        {RecordType::subscriptions_acked, 26},
        {RecordType::heartbeat, 32},
        {RecordType::vote_request, 40},
        {RecordType::vote_reply, 41},
        {RecordType::append, 42},
        {RecordType::append_reply, 43},
        {RecordType::snapshot_chunk, 44},
        {RecordType::snapshot_reply, 45},
        {RecordType::timeout_now, 46},
        {RecordType::command, 56},
        {RecordType::command_reply, 57},
        {RecordType::renew, 58},
        {RecordType::renew_reply, 59},
        {RecordType::read, 60},
        {RecordType::read_reply, 61},
        {RecordType::voter_set, 62},
    };
    for (const auto& [type, number] : kNumbers) EXPECT_EQ(static_cast<int>(type), number) << EnumNameRecordType(type);
    EXPECT_EQ(std::size(EnumValuesRecordType()), std::size(kNumbers) + 1);  // and `none`
}

TEST(GoldenNumbers, of_flags_and_reasons_never_change) {
    EXPECT_EQ(static_cast<unsigned>(HelloFlag::voter), 1U);
    EXPECT_EQ(static_cast<unsigned>(HelloFlag::durable_stream), 2U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::stale_epoch), 1U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::foreign_cluster), 2U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::no_version), 3U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::table_full), 4U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::own_id), 5U);
    EXPECT_EQ(static_cast<unsigned>(RefuseReason::other_storage), 6U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::fence), 1U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::explicit_key), 2U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::fragment), 4U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::correlation), 8U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::trace), 16U);
    EXPECT_EQ(static_cast<unsigned>(MessageFlag::maybe_repeated), 32U);
    EXPECT_EQ(static_cast<unsigned>(SkipFlag::answer), 1U);
    EXPECT_EQ(static_cast<unsigned>(SubscribeFlag::durable), 1U);
    EXPECT_EQ(static_cast<unsigned>(HeartbeatFlag::ready), 1U);
    EXPECT_EQ(static_cast<unsigned>(VoteFlag::pre_vote), 1U);
    EXPECT_EQ(static_cast<unsigned>(VoteFlag::granted), 2U);
    EXPECT_EQ(static_cast<unsigned>(VoteFlag::transfer), 4U);
    EXPECT_EQ(static_cast<unsigned>(AppendFlag::diverged), 1U);
    EXPECT_EQ(static_cast<unsigned>(AppendReplyFlag::success), 1U);
    EXPECT_EQ(static_cast<unsigned>(AppendReplyFlag::state_agrees), 2U);
    EXPECT_EQ(static_cast<unsigned>(AppendReplyFlag::state_differs), 4U);
}

}  // namespace
}  // namespace dunlin::wire
