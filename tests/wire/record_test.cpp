#include <dunlin/wire/record.hpp>

#include <gtest/gtest.h>

#include <array>

namespace dunlin::wire {
namespace {

std::array<std::byte, 64> ones() {
    std::array<std::byte, 64> bytes{};
    bytes.fill(std::byte{1});
    return bytes;
}

constexpr std::uint64_t kOnes = 0x0101010101010101U;

TEST(Record, a_field_that_an_older_sender_did_not_know_is_zero) {
    const auto bytes = ones();
    const Record older{.type = RecordType::hello, .fixed = std::span(bytes).first(16)};
    const auto hello = older.as<Hello>();
    EXPECT_EQ(hello.nonce(), kOnes);
    EXPECT_EQ(hello.echo(), kOnes);
    EXPECT_EQ(hello.instance(), 0U);
    EXPECT_EQ(hello.packet_bytes_max(), 0U);
    EXPECT_EQ(hello.flags(), 0U);
}

TEST(Record, a_fixed_part_cut_inside_a_field_keeps_the_bytes_that_came) {
    const auto bytes = ones();
    const Record cut{.type = RecordType::hello, .fixed = std::span(bytes).first(11)};
    EXPECT_EQ(cut.as<Hello>().echo(), 0x010101U);
    const Record none{.type = RecordType::hello};
    EXPECT_EQ(none.as<Hello>().nonce(), 0U);
}

TEST(Record, what_a_newer_sender_added_is_left_out) {
    const auto bytes = ones();
    const Record newer{.type = RecordType::ping, .fixed = std::span(bytes).first(24)};
    EXPECT_EQ(newer.as<Ping>().reserved(), kOnes);
}

TEST(Take, gives_whole_structs_and_leaves_a_short_rest_alone) {
    const auto bytes = ones();
    std::span<const std::byte> rest = std::span(bytes).first(20);
    AckRange range;
    EXPECT_TRUE(take(rest, range));
    EXPECT_EQ(range.gap(), 0x01010101U);
    EXPECT_TRUE(take(rest, range));
    range = AckRange(5, 6);
    EXPECT_FALSE(take(rest, range));
    EXPECT_EQ(range.gap(), 5U);
    EXPECT_EQ(rest.size(), 4U);
}

}  // namespace
}  // namespace dunlin::wire
