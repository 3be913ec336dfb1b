#include <dunlin/core/random.hpp>
#include <dunlin/link/settled_set.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace dunlin::link {
namespace {

template <std::size_t Words>
void compare_with_a_plain_set(std::uint64_t start, std::uint64_t seed) {
    std::array<std::uint64_t, Words> words{};
    std::array<std::uint64_t, Words> copy_words{};
    SettledSet set(words);
    SettledSet copy(copy_words);
    set.reset(Sequence{start});
    std::set<std::uint64_t> plain;
    std::uint64_t cumulative = start;
    Random random(seed);
    for (int i = 0; i < 3000; ++i) {
        const std::uint64_t value = cumulative + 1 + random.below(set.window());
        if (random.below(50) == 0) {
            cumulative = cumulative + random.below(2 * set.window());
            set.raise(Sequence{cumulative});
        } else {
            EXPECT_EQ(set.add(Sequence{value}), plain.insert(value).second);
        }
        while (plain.count(cumulative + 1) != 0) ++cumulative;
        plain.erase(plain.begin(), plain.upper_bound(cumulative));
        ASSERT_EQ(set.cumulative(), Sequence{cumulative});
        for (std::size_t w = 0; w < Words; ++w) {
            for (std::uint64_t bit = 0; bit < 64; ++bit) {
                const std::uint64_t sequence = cumulative + 1 + 64 * w + bit;
                ASSERT_EQ((set.word(w) >> bit & 1U) != 0, plain.count(sequence) != 0);
                ASSERT_EQ(set.contains(Sequence{sequence}), plain.count(sequence) != 0);
            }
        }
        const std::uint64_t highest = plain.empty() ? cumulative : *plain.rbegin();
        ASSERT_EQ(set.words_used(), (highest - cumulative + 63) / 64);
        copy.assign(set);
        ASSERT_EQ(copy.cumulative(), set.cumulative());
        ASSERT_EQ(copy.word(0), set.word(0));
    }
}

TEST(SettledSet, behaves_as_a_plain_set_with_one_word) {
    compare_with_a_plain_set<1>(0, 1);
    compare_with_a_plain_set<1>(1000, 2);
}

TEST(SettledSet, behaves_as_a_plain_set_with_many_words) { compare_with_a_plain_set<16>(63, 3); }

TEST(SettledSet, passes_the_32_bit_limit) { compare_with_a_plain_set<2>(0xffff'ff00U, 4); }

TEST(SettledSet, knows_its_window) {
    std::array<std::uint64_t, 2> words{};
    SettledSet set(words);
    set.reset(Sequence{10});
    EXPECT_TRUE(set.in_window(Sequence{138}));
    EXPECT_FALSE(set.in_window(Sequence{139}));
    EXPECT_FALSE(set.contains(Sequence{139}));
    EXPECT_TRUE(set.contains(Sequence{3}));
    EXPECT_FALSE(set.add(Sequence{3}));
}

}  // namespace
}  // namespace dunlin::link
