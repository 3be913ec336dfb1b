#include "wire/packets.hpp"

#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

namespace dunlin::wire {
namespace {

using test::Bytes;
using test::packet_of;
using test::read_all;
using test::Reading;
using test::refused_count;
using test::seal;
using test::some_header;

PacketHeader header_from(std::uint16_t source) {
    return {kMagic, kVersion, 0, 0, 0x1122334455667788U, source, 5, 7, 0xa1a2a3a4a5a6a7a8U, 9};
}

void expect_refused(std::span<const std::byte> packet, Counter reason) {
    const Reading reading = read_all(packet);
    EXPECT_FALSE(reading.opened);
    EXPECT_EQ(reading.counters.get(reason), 1U) << info(reason).name;
    EXPECT_EQ(refused_count(reading.counters), 1U);
}

// A packet of every kind of trouble: several records, with and without bytes and padding, one of an unknown type.
Bytes varied_packet() {
    std::array<std::byte, kPacketBytesDefault> buffer{};
    PacketWriter writer(buffer);
    const std::array<std::byte, 5> name{std::byte{'l'}, std::byte{'a'}, std::byte{'b'}, std::byte{'/'}, std::byte{'t'}};
    EXPECT_TRUE(writer.record(RecordType::ack, Ack(20, 3, 150, 1, 0, 0), bytes_of(AckRange(2, 5))));
    EXPECT_TRUE(writer.record(RecordType::alias_declare, AliasDeclare(8, 2, 0), name));
    EXPECT_TRUE(writer.record(static_cast<RecordType>(200), Ping(1), name));
    EXPECT_TRUE(writer.record(RecordType::heartbeat, Heartbeat(6, 100'000, 1)));
    const std::size_t length = writer.finish(some_header());
    return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length)};
}

TEST(PacketReader, gives_header_and_records_in_order) {
    const Bytes packet = varied_packet();
    Counters counters;
    auto reader = PacketReader::open(packet, counters);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->header().source(), 3U);
    EXPECT_EQ(reader->header().number(), 9U);
    Record record;
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::ack);
    EXPECT_EQ(record.as<Ack>().largest(), 20U);
    EXPECT_EQ(load<AckRange>(record.bytes).length(), 5U);
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::alias_declare);
    EXPECT_EQ(record.bytes.size(), 5U);
    ASSERT_TRUE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::heartbeat);
    EXPECT_EQ(record.as<Heartbeat>().sequence(), 6U);
    EXPECT_TRUE(record.bytes.empty());
    EXPECT_FALSE(reader->next(record));
    EXPECT_FALSE(reader->next(record));
    EXPECT_EQ(record.type, RecordType::none);
    EXPECT_EQ(refused_count(counters), 0U);
}

TEST(PacketReader, skips_and_counts_records_of_an_unknown_type) {
    const Reading reading = read_all(varied_packet());
    EXPECT_EQ(reading.records, 3U);
    EXPECT_EQ(reading.counters.get(Counter::records_unknown), 1U);
}

TEST(PacketReader, knows_every_type_of_the_definition_and_no_other) {
    for (int type = 1; type < 256; ++type) {
        const Reading reading = read_all(packet_of({4, 0, type, 0}));
        ASSERT_TRUE(reading.opened);
        const bool defined = *EnumNameRecordType(static_cast<RecordType>(type)) != '\0';
        EXPECT_EQ(reading.records, defined ? 1U : 0U) << type;
        EXPECT_EQ(reading.counters.get(Counter::records_unknown), defined ? 0U : 1U) << type;
    }
}

TEST(PacketReader, opens_a_packet_without_records) { EXPECT_TRUE(read_all(packet_of({})).opened); }

TEST(PacketReader, refuses_what_is_shorter_than_a_header) {
    for (std::size_t length = 0; length < kHeaderBytes; ++length) {
        Bytes packet = varied_packet();
        packet.resize(length);
        packet.shrink_to_fit();
        expect_refused(packet, Counter::packets_truncated);
    }
}

TEST(PacketReader, refuses_another_magic_and_another_version_even_with_a_right_checksum) {
    Bytes packet = varied_packet();
    packet[1] = std::byte{0x4f};
    seal(packet);
    expect_refused(packet, Counter::packets_bad_magic);
    packet = varied_packet();
    packet[2] = std::byte{2};
    seal(packet);
    expect_refused(packet, Counter::packets_bad_version);
}

TEST(PacketReader, refuses_a_packet_of_nobody) { expect_refused(packet_of({}, header_from(0)), Counter::packets_malformed); }

TEST(PacketReader, refuses_every_single_flipped_bit) {
    Bytes packet = varied_packet();
    for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
        packet[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const Reading reading = read_all(packet);
        ASSERT_FALSE(reading.opened) << bit;
        ASSERT_EQ(refused_count(reading.counters), 1U);
        packet[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
}

TEST(PacketReader, refuses_every_truncation) {
    const Bytes whole = varied_packet();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const Bytes packet(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        ASSERT_FALSE(read_all(packet).opened) << length;
    }
}

TEST(PacketReader, refuses_records_that_do_not_fill_the_packet_exactly) {
    const std::initializer_list<int> cases[] = {
        {12, 0, 9},                             // less than a head
        {0, 0, 0, 0},                           // zeros are no record
        {4, 0, 0, 0},                           // type 0
        {3, 0, 9, 0},                           // shorter than its own head
        {0, 0, 9, 0},                           // of no length: would never end
        {12, 0, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1},  // fixed part longer than the record
        {16, 0, 9, 8, 1, 1, 1, 1, 1, 1, 1, 1},  // overruns the packet
        {255, 255, 9, 0},                       // as far as a length goes
        {5, 0, 9, 0, 1},                        // padding missing
        {5, 0, 9, 0, 1, 0, 0},                  // padding cut short
        {5, 0, 9, 0, 1, 0, 0, 1},               // padding not zero
        {4, 0, 9, 0, 12, 0},                    // a good record, then half a head
    };
    for (const auto& records : cases) {
        const Bytes packet = packet_of(records);
        SCOPED_TRACE(testing::PrintToString(std::vector<int>(records)));
        expect_refused(packet, Counter::packets_malformed);
    }
}

TEST(PacketReader, refuses_a_bad_last_record_before_it_gives_the_first) {
    expect_refused(packet_of({12, 0, 9, 8, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 9, 0}), Counter::packets_malformed);
}

TEST(PacketReader, reads_at_any_address) {
    const Bytes packet = varied_packet();
    for (std::size_t shift = 0; shift < 8; ++shift) {
        Bytes shifted(shift);
        shifted.insert(shifted.end(), packet.begin(), packet.end());
        EXPECT_EQ(read_all(std::span(shifted).subspan(shift)).records, 3U);
    }
}

// Whatever arrives, exactly one of two things happens: it opens and its records lie inside it, or one reason is counted.
void expect_safe(const Bytes& packet) {
    Counters counters;
    auto reader = PacketReader::open(packet, counters);
    ASSERT_EQ(refused_count(counters), reader ? 0U : 1U);
    Record record;
    std::size_t bytes = kHeaderBytes;
    while (reader && reader->next(record)) {
        bytes += kRecordHeadBytes + record.fixed.size() + record.bytes.size();
        ASSERT_LE(record.bytes.data() + record.bytes.size(), packet.data() + packet.size());
        ASSERT_GE(record.fixed.data(), packet.data() + kHeaderBytes);
    }
    ASSERT_LE(bytes, std::max(packet.size(), kHeaderBytes));
}

TEST(PacketReader, is_safe_with_random_bytes) {
    Random random(2024);
    for (int round = 0; round < 20'000; ++round) {
        Bytes packet(static_cast<std::size_t>(random.below(120)));
        for (std::byte& byte : packet) byte = static_cast<std::byte>(random.next_u32());
        expect_safe(packet);
    }
}

TEST(PacketReader, is_safe_with_changed_packets_whose_checksum_is_right) {
    const Bytes whole = varied_packet();
    Random random(2025);
    int opened = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes packet = whole;
        for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
            const auto place = static_cast<std::size_t>(random.below(packet.size()));
            packet[place] = static_cast<std::byte>(random.next_u32());
        }
        if (random.below(3) == 0) packet.resize(kHeaderBytes + static_cast<std::size_t>(random.below(packet.size() - kHeaderBytes)));
        packet.shrink_to_fit();
        seal(packet);
        expect_safe(packet);
        if (read_all(packet).opened) ++opened;
    }
    EXPECT_GT(opened, 1000);    // the changes get past the header,
    EXPECT_LT(opened, 19'000);  // and are caught behind it
}

}  // namespace
}  // namespace dunlin::wire
