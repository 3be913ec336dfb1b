#include <dunlin/core/hash_map.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

namespace dunlin {
namespace {

using Map = HashMap<NodeId, std::uint32_t>;

TEST(HashMap, with_no_entries_refuses_everything) {
    Map map;
    EXPECT_TRUE(map.full());
    EXPECT_FALSE(map.insert(NodeId{1}, 1));
    EXPECT_EQ(map.find(NodeId{1}), nullptr);
    EXPECT_FALSE(map.erase(NodeId{1}));
}

TEST(HashMap, finds_what_was_inserted_and_zero_is_a_key_like_any_other) {
    std::array<Map::Entry, 4> entries;
    Map map(entries);
    EXPECT_EQ(map.find(NodeId{0}), nullptr);
    EXPECT_TRUE(map.insert(NodeId{0}, 7));
    ASSERT_NE(map.find(NodeId{0}), nullptr);
    EXPECT_EQ(*map.find(NodeId{0}), 7U);
    EXPECT_EQ(map.find(NodeId{1}), nullptr);
}

TEST(HashMap, when_full_refuses_a_new_key_and_still_replaces_an_old_one) {
    std::array<Map::Entry, 3> entries;
    Map map(entries);
    for (std::uint16_t i = 1; i <= 3; ++i) EXPECT_TRUE(map.insert(NodeId{i}, i));
    EXPECT_TRUE(map.full());
    EXPECT_FALSE(map.insert(NodeId{4}, 4));
    EXPECT_EQ(map.find(NodeId{4}), nullptr);
    EXPECT_TRUE(map.insert(NodeId{2}, 22));
    EXPECT_EQ(*map.find(NodeId{2}), 22U);
    EXPECT_EQ(map.size(), 3U);
    EXPECT_TRUE(map.erase(NodeId{2}));
    EXPECT_FALSE(map.erase(NodeId{2}));
    EXPECT_TRUE(map.insert(NodeId{4}, 4));
    EXPECT_EQ(*map.find(NodeId{1}), 1U);
    EXPECT_EQ(*map.find(NodeId{3}), 3U);
    EXPECT_EQ(*map.find(NodeId{4}), 4U);
}

TEST(HashMap, accepts_plain_integers_as_keys) {
    std::array<HashMap<std::uint64_t, char>::Entry, 2> entries;
    HashMap<std::uint64_t, char> map(entries);
    EXPECT_TRUE(map.insert(~std::uint64_t{0}, 'x'));
    EXPECT_EQ(*map.find(~std::uint64_t{0}), 'x');
}

// At every load up to the last entry, for capacities that divide nothing: the same as std::map, and erased for good.
TEST(HashMap, agrees_with_a_model_over_many_inserts_and_erases) {
    for (const std::size_t capacity : {1U, 2U, 3U, 7U, 16U, 33U}) {
        std::vector<Map::Entry> entries(capacity);
        Map map(entries);
        std::map<std::uint16_t, std::uint32_t> model;
        Random random(capacity);
        for (std::uint32_t round = 0; round < 20'000; ++round) {
            const auto key = static_cast<std::uint16_t>(random.below(capacity * 2));
            if (random.below(2) == 0) {
                ASSERT_EQ(map.erase(NodeId{key}), model.erase(key) == 1);
            } else {
                const bool room = model.contains(key) || model.size() < capacity;
                ASSERT_EQ(map.insert(NodeId{key}, round), room);
                if (room) model[key] = round;
            }
            ASSERT_EQ(map.size(), model.size());
            const auto probe = static_cast<std::uint16_t>(random.below(capacity * 2));
            const auto expected = model.find(probe);
            const std::uint32_t* found = map.find(NodeId{probe});
            ASSERT_EQ(found != nullptr, expected != model.end());
            if (found != nullptr) { ASSERT_EQ(*found, expected->second); }
        }
        for (const auto& [key, value] : model) ASSERT_EQ(*map.find(NodeId{key}), value);
        map.clear();
        EXPECT_EQ(map.size(), 0U);
    }
}

}  // namespace
}  // namespace dunlin
