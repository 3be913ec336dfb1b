#include <dunlin/core/checksum.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <vector>

namespace dunlin {
namespace {

std::span<const std::byte> text(std::string_view characters) { return std::as_bytes(std::span(characters)); }

TEST(Crc32c, matches_the_vectors_of_rfc_3720_appendix_b_4) {
    std::array<std::byte, 32> bytes{};
    EXPECT_EQ(crc32c(bytes), 0x8a9136aaU);
    bytes.fill(std::byte{0xff});
    EXPECT_EQ(crc32c(bytes), 0x62a8ab43U);
    for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
    EXPECT_EQ(crc32c(bytes), 0x46dd794eU);
    for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
    EXPECT_EQ(crc32c(bytes), 0x113fdb5cU);
}

TEST(Crc32c, matches_the_check_value_of_the_catalogue) {
    EXPECT_EQ(crc32c(text("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, of_parts_in_a_row_is_that_of_the_whole_at_every_cut_and_alignment) {
    std::vector<std::byte> bytes(67);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
    for (std::size_t start = 0; start < 9; ++start) {
        const auto whole = std::span<const std::byte>(bytes).subspan(start);
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            ASSERT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), crc32c(whole)) << start << " " << cut;
        }
    }
}

TEST(Crc32c, is_the_same_with_and_without_the_processors_instruction) {
    std::vector<std::byte> bytes(1500);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 131 + i / 7);
    for (std::size_t start = 0; start < 9; ++start) {
        for (std::size_t length = 0; length + start <= bytes.size(); length += 1 + length / 8) {
            const auto part = std::span<const std::byte>(bytes).subspan(start, length);
            ASSERT_EQ(crc32c(part), crc32c_by_table(part)) << start << " " << length;
            ASSERT_EQ(crc32c(part, 0xdeadbeef), crc32c_by_table(part, 0xdeadbeef)) << start << " " << length;
        }
    }
}

TEST(Crc32c, notices_every_single_flipped_bit) {
    std::array<std::byte, 40> bytes{};
    const std::uint32_t whole = crc32c(bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        ASSERT_NE(crc32c(bytes), whole);
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
}

TEST(Fnv1a64, matches_the_vectors_of_its_authors) {
    EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325U);
    EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cU);
    EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8U);
}

TEST(Fnv1a64, continues_from_a_seed) { EXPECT_EQ(fnv1a64(text("bar"), fnv1a64("foo")), fnv1a64("foobar")); }

}  // namespace
}  // namespace dunlin
