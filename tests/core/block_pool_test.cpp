#include <dunlin/core/block_pool.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace dunlin {
namespace {

using Bytes = std::vector<std::byte>;

Bytes pattern(std::size_t length, unsigned seed) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(seed + i * 7);
    return bytes;
}

struct BlockPoolTest : testing::Test {
    std::array<std::byte, 64> bytes{};
    std::array<std::uint16_t, 8> links{};
    BlockPool pool{bytes, links, 8};

    [[nodiscard]] Bytes read(std::uint16_t chain, std::size_t length, std::size_t offset = 0) const {
        Bytes out(length);
        pool.load(chain, offset, out);
        return out;
    }
};

TEST_F(BlockPoolTest, a_reserved_chain_is_written_in_any_order) {
    const std::uint16_t other = pool.store(pattern(10, 99));
    const std::uint16_t chain = pool.reserve(21);
    ASSERT_NE(chain, kNoBlock);
    EXPECT_EQ(pool.free_blocks(), 8U - 2 - 3);
    EXPECT_EQ(pool.reserve(25), kNoBlock);
    const Bytes all = pattern(21, 3);
    constexpr std::pair<std::size_t, std::size_t> kParts[] = {{15, 6}, {0, 3}, {3, 12}, {21, 0}};  // from, length
    for (const auto& [from, length] : kParts) pool.write(chain, from, std::span(all).subspan(from, length));
    EXPECT_EQ(read(chain, 21), all);
    EXPECT_EQ(read(other, 10), pattern(10, 99));
    pool.release(chain);
    pool.release(other);
    EXPECT_EQ(pool.free_blocks(), 8U);
}

TEST_F(BlockPoolTest, counts_blocks_rounding_up_and_one_for_an_empty_string) {
    EXPECT_EQ(pool.blocks_for(0), 1U);
    EXPECT_EQ(pool.blocks_for(1), 1U);
    EXPECT_EQ(pool.blocks_for(8), 1U);
    EXPECT_EQ(pool.blocks_for(9), 2U);
    EXPECT_EQ(pool.free_bytes(), 64U);
}

TEST_F(BlockPoolTest, gives_back_two_parts_as_one_string_wherever_they_meet) {
    for (std::size_t cut = 0; cut <= 21; ++cut) {
        const Bytes whole = pattern(21, 3);
        const std::uint16_t chain = pool.store(std::span(whole).first(cut), std::span(whole).subspan(cut));
        ASSERT_NE(chain, kNoBlock);
        EXPECT_EQ(read(chain, 21), whole);
        for (std::size_t offset = 0; offset <= 21; ++offset) {
            EXPECT_EQ(read(chain, 21 - offset, offset), Bytes(whole.begin() + static_cast<std::ptrdiff_t>(offset), whole.end()));
        }
        pool.release(chain);
    }
    EXPECT_EQ(pool.free_bytes(), 64U);
}

TEST_F(BlockPoolTest, lets_a_string_be_written_in_place_piece_by_piece) {
    const std::uint16_t first = pool.reserve(8);
    const std::uint16_t between = pool.reserve(8);
    const std::uint16_t third = pool.reserve(8);
    pool.release(first);
    pool.release(third);
    const std::uint16_t chain = pool.reserve(21);  // third, first, fourth
    const Bytes whole = pattern(21, 5);
    std::size_t pieces = 0;
    std::size_t at = 3;
    pool.visit(chain, at, 18, [&](std::span<std::byte> piece) {
        std::ranges::copy(std::span(whole).subspan(at, piece.size()), piece.begin());
        at += piece.size();
        ++pieces;
    });
    EXPECT_EQ(pieces, 3U);
    EXPECT_EQ(read(chain, 18, 3), Bytes(whole.begin() + 3, whole.end()));
    EXPECT_EQ(pool.free_bytes(), 32U);
    EXPECT_EQ(pool.reserve(33), kNoBlock);
    pool.release(chain);
    pool.release(between);
    EXPECT_EQ(pool.free_bytes(), 64U);
}

TEST_F(BlockPoolTest, blocks_that_follow_each_other_in_memory_are_one_piece) {
    const std::uint16_t chain = pool.reserve(32);
    for (std::size_t offset = 0; offset < 32; ++offset) {
        for (std::size_t length = 1; length <= 32 - offset; ++length) {
            std::vector<std::size_t> pieces;
            pool.visit(chain, offset, length, [&](std::span<std::byte> piece) { pieces.push_back(piece.size()); });
            ASSERT_EQ(pieces, std::vector<std::size_t>{length}) << offset;
        }
    }
}

TEST_F(BlockPoolTest, takes_nothing_when_there_is_not_room_for_all) {
    const std::uint16_t first = pool.store(pattern(40, 1));
    ASSERT_NE(first, kNoBlock);
    EXPECT_FALSE(pool.fits(25));
    EXPECT_EQ(pool.store(pattern(25, 2)), kNoBlock);
    EXPECT_EQ(pool.free_bytes(), 24U);
    EXPECT_TRUE(pool.fits(24));
    const std::uint16_t second = pool.store(pattern(24, 2));
    ASSERT_NE(second, kNoBlock);
    EXPECT_FALSE(pool.fits(0));
    EXPECT_EQ(pool.store({}), kNoBlock);
    EXPECT_EQ(read(first, 40), pattern(40, 1));
    EXPECT_EQ(read(second, 24), pattern(24, 2));
}

TEST_F(BlockPoolTest, views_one_block_in_place_and_copies_longer_ones) {
    std::array<std::byte, 16> scratch{};
    const std::uint16_t small = pool.store(pattern(8, 1));
    const std::uint16_t large = pool.store(pattern(16, 2));
    const auto in_place = pool.view(small, 8, scratch);
    EXPECT_NE(in_place.data(), scratch.data());
    EXPECT_TRUE(std::ranges::equal(in_place, pattern(8, 1)));
    const auto copied = pool.view(large, 16, scratch);
    EXPECT_EQ(copied.data(), scratch.data());
    EXPECT_TRUE(std::ranges::equal(copied, pattern(16, 2)));
}

TEST_F(BlockPoolTest, never_fragments_and_never_mixes_chains_whatever_the_order_of_release) {
    Random random(11);
    std::map<std::uint16_t, Bytes> model;
    std::size_t blocks_used = 0;
    for (unsigned round = 0; round < 5000; ++round) {
        if (!model.empty() && random.below(2) == 0) {
            auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
            ASSERT_EQ(read(victim->first, victim->second.size()), victim->second);
            blocks_used -= pool.blocks_for(victim->second.size());
            pool.release(victim->first);
            model.erase(victim);
        } else {
            const Bytes text = pattern(static_cast<std::size_t>(random.below(30)), round);
            const bool fits = blocks_used + pool.blocks_for(text.size()) <= links.size();
            const std::uint16_t chain = pool.store(text);
            ASSERT_EQ(chain != kNoBlock, fits);
            if (!fits) continue;
            blocks_used += pool.blocks_for(text.size());
            ASSERT_TRUE(model.emplace(chain, text).second);
        }
        ASSERT_EQ(pool.free_bytes(), (links.size() - blocks_used) * 8);
    }
    pool.clear();
    EXPECT_EQ(pool.free_bytes(), 64U);
}

TEST(BlockPoolDeathTest, memory_and_links_must_agree) {
    std::array<std::byte, 63> bytes{};
    std::array<std::uint16_t, 8> links{};
    EXPECT_DEATH_IF_SUPPORTED((void)BlockPool(bytes, links, 8), "");
}

TEST_F(BlockPoolTest, no_chain_cannot_be_read_viewed_or_released) {
    std::array<std::byte, 8> out{};
    EXPECT_DEATH_IF_SUPPORTED(pool.load(kNoBlock, 0, out), "");
    EXPECT_DEATH_IF_SUPPORTED((void)pool.view(kNoBlock, 8, out), "");
    EXPECT_DEATH_IF_SUPPORTED(pool.release(kNoBlock), "");
}

}  // namespace
}  // namespace dunlin
