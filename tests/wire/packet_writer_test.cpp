#include "wire/packets.hpp"

#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

namespace dunlin::wire {
namespace {

using test::Bytes;
using test::read_all;
using test::some_header;

struct PacketWriterTest : testing::Test {
    PacketWriterTest() { buffer.fill(std::byte{0xee}); }  // what a buffer held before must never leave with a packet
    std::array<std::byte, 100> buffer{};
    PacketWriter writer{buffer};

    [[nodiscard]] Bytes finished() {
        const std::size_t length = writer.finish(some_header());
        return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length)};
    }
};

Bytes counting(std::size_t length) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i + 1);
    return bytes;
}

TEST_F(PacketWriterTest, an_empty_packet_is_a_header) {
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(writer.size(), 40U);
    EXPECT_EQ(writer.room(), 56U);
    const Bytes packet = finished();
    EXPECT_EQ(packet.size(), 40U);
    EXPECT_TRUE(read_all(packet).opened);
}

TEST_F(PacketWriterTest, fills_in_magic_version_and_checksum_itself) {
    const std::size_t length = writer.finish(PacketHeader(1, 9, 0, 77, 2, 3, 4, 5, 6, 7));
    EXPECT_TRUE(read_all(std::span(buffer).first(length)).opened);
    EXPECT_EQ(load<PacketHeader>(buffer).number(), 7U);
}

TEST_F(PacketWriterTest, pads_with_zeros_whatever_the_buffer_held) {
    for (std::size_t length = 0; length <= 3; ++length) EXPECT_TRUE(writer.record(RecordType::ping, Ping(0), counting(length)));
    const Bytes packet = finished();
    EXPECT_EQ(read_all(packet).records, 4U);
    EXPECT_EQ(packet.size(), 40U + 12U + 16U * 3U);
}

TEST_F(PacketWriterTest, refuses_what_does_not_fit_and_stays_as_it_was) {
    EXPECT_FALSE(writer.record(RecordType::ping, Ping(0), counting(49)));
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(writer.room(), 56U);
    EXPECT_TRUE(writer.record(RecordType::ping, Ping(0), counting(48)));
    EXPECT_EQ(writer.room(), 0U);
    EXPECT_FALSE(writer.record(RecordType::ping, Ping(0)));
    EXPECT_FALSE(writer.begin(RecordType::ping, Ping(0)));
    const Bytes packet = finished();
    EXPECT_EQ(packet.size(), 100U);
    EXPECT_EQ(read_all(packet).records, 1U);
}

TEST_F(PacketWriterTest, an_open_record_grows_until_it_ends) {
    ASSERT_TRUE(writer.begin(RecordType::run, wire::Run(7, 8, 0, 0, 0, 0)));
    EXPECT_EQ(writer.room(), 32U);
    EXPECT_TRUE(writer.append(counting(3)));
    EXPECT_EQ(writer.room(), 29U);
    const auto added = writer.extend(2);
    ASSERT_EQ(added.size(), 2U);
    EXPECT_EQ(added[0], std::byte{0});
    added[1] = std::byte{0x55};
    EXPECT_TRUE(writer.empty());
    writer.patch(wire::Run(7, 8, 0, 0, 2, 0));
    writer.end();
    EXPECT_FALSE(writer.empty());
    const Bytes packet = finished();
    Counters counters;
    auto reader = PacketReader::open(packet, counters);
    ASSERT_TRUE(reader);
    Record record;
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.as<wire::Run>().first_sequence(), 7U);
    EXPECT_EQ(record.as<wire::Run>().count(), 2U);
    ASSERT_EQ(record.bytes.size(), 5U);
    EXPECT_EQ(record.bytes[2], std::byte{3});
    EXPECT_EQ(record.bytes[4], std::byte{0x55});
}

TEST_F(PacketWriterTest, an_open_record_refuses_what_does_not_fit_and_stays_as_it_was) {
    ASSERT_TRUE(writer.begin(RecordType::ping, Ping(0)));
    EXPECT_FALSE(writer.append(counting(49)));
    EXPECT_TRUE(writer.extend(49).empty());
    EXPECT_EQ(writer.room(), 48U);
    EXPECT_TRUE(writer.append(counting(47)));
    EXPECT_EQ(writer.extend(1).size(), 1U);
    EXPECT_EQ(writer.room(), 0U);
    EXPECT_TRUE(writer.append({}));
    writer.end();
    EXPECT_EQ(finished().size(), 100U);
}

TEST_F(PacketWriterTest, a_cancelled_record_never_was) {
    EXPECT_TRUE(writer.record(RecordType::ping, Ping(1)));
    const std::size_t room = writer.room();
    ASSERT_TRUE(writer.begin(RecordType::run, wire::Run(1, 1, 0, 0, 0, 0)));
    EXPECT_TRUE(writer.append(counting(4)));
    writer.cancel();
    EXPECT_EQ(writer.room(), room);
    EXPECT_TRUE(writer.record(RecordType::ping, Ping(2)));
    EXPECT_EQ(read_all(finished()).records, 2U);
}

TEST(PacketWriter, uses_no_more_than_whole_multiples_of_4_below_the_limit) {
    std::array<std::byte, 47> odd{};
    EXPECT_EQ(PacketWriter(odd).room(), 0U);
    std::vector<std::byte> huge(200'000);
    PacketWriter writer(huge);
    EXPECT_EQ(writer.room(), kPacketBytesLimit - kHeaderBytes - kRecordHeadBytes);
    const Bytes payload(writer.room() - sizeof(Ping), std::byte{7});
    EXPECT_TRUE(writer.record(RecordType::ping, Ping(0), payload));
    const std::size_t length = writer.finish(some_header());
    EXPECT_EQ(length, kPacketBytesLimit);
    EXPECT_EQ(read_all(std::span(huge).first(length)).records, 1U);
}

TEST_F(PacketWriterTest, misuse_is_a_programming_error) {
    EXPECT_DEATH_IF_SUPPORTED((void)PacketWriter(std::span(buffer).first(39)), "");
    EXPECT_DEATH_IF_SUPPORTED((void)writer.append(counting(1)), "");
    EXPECT_DEATH_IF_SUPPORTED((void)writer.extend(1), "");
    EXPECT_DEATH_IF_SUPPORTED(writer.end(), "");
    EXPECT_DEATH_IF_SUPPORTED(writer.cancel(), "");
    EXPECT_DEATH_IF_SUPPORTED((void)writer.record(RecordType::none, Ping(0)), "");
    ASSERT_TRUE(writer.begin(RecordType::ping, Ping(0)));
    EXPECT_DEATH_IF_SUPPORTED((void)writer.begin(RecordType::ping, Ping(0)), "");
    EXPECT_DEATH_IF_SUPPORTED((void)writer.record(RecordType::ping, Ping(0)), "");
    EXPECT_DEATH_IF_SUPPORTED(writer.patch(wire::Run(1, 1, 0, 0, 0, 0)), "");
    EXPECT_DEATH_IF_SUPPORTED((void)writer.finish(some_header()), "");
}

TEST(PacketWriter, whatever_it_accepts_reads_back_the_same) {
    Random random(77);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::byte> buffer(kHeaderBytes + static_cast<std::size_t>(random.below(400)));
        PacketWriter writer(buffer);
        std::vector<Bytes> accepted;
        for (std::uint64_t attempts = random.below(12); attempts > 0; --attempts) {
            const Bytes bytes = counting(static_cast<std::size_t>(random.below(80)));
            const bool fits = sizeof(Ping) + bytes.size() <= writer.room();
            ASSERT_EQ(writer.record(RecordType::ping, Ping(accepted.size()), bytes), fits);
            if (fits) accepted.push_back(bytes);
        }
        const std::size_t length = writer.finish(some_header());
        ASSERT_LE(length, buffer.size());
        Counters counters;
        auto reader = PacketReader::open(std::span(buffer).first(length), counters);
        ASSERT_TRUE(reader);
        Record record;
        for (std::size_t i = 0; i < accepted.size(); ++i) {
            ASSERT_TRUE(reader->next(record));
            ASSERT_EQ(record.as<Ping>().reserved(), i);
            ASSERT_TRUE(std::ranges::equal(record.bytes, accepted[i]));
        }
        ASSERT_FALSE(reader->next(record));
    }
}

}  // namespace
}  // namespace dunlin::wire
