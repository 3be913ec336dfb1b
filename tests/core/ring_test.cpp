#include <dunlin/core/random.hpp>
#include <dunlin/core/ring.hpp>

#include <gtest/gtest.h>

#include <array>
#include <deque>

namespace dunlin {
namespace {

TEST(Ring, without_storage_is_empty_and_full_at_once) {
    Ring<int> ring;
    EXPECT_TRUE(ring.empty());
    EXPECT_TRUE(ring.full());
    EXPECT_FALSE(ring.push(1));
}

TEST(Ring, when_full_refuses_and_changes_nothing) {
    std::array<int, 2> storage{};
    Ring<int> ring(storage);
    EXPECT_TRUE(ring.push(1));
    EXPECT_TRUE(ring.push(2));
    EXPECT_FALSE(ring.push(3));
    EXPECT_EQ(ring.front(), 1);
    EXPECT_EQ(ring.back(), 2);
    EXPECT_EQ(ring.size(), 2U);
}

TEST(Ring, agrees_with_a_model_round_and_round) {
    std::array<int, 5> storage{};
    Ring<int> ring(storage);
    std::deque<int> model;
    Random random(3);
    for (int round = 0; round < 5000; ++round) {
        switch (random.below(4)) {
            case 0:
            case 1:
                ASSERT_EQ(ring.push(round), model.size() < storage.size());
                if (model.size() < storage.size()) model.push_back(round);
                break;
            case 2:
                if (model.empty()) break;
                ring.pop();
                model.pop_front();
                break;
            default:
                if (model.empty()) break;
                ring.pop_back();
                model.pop_back();
        }
        ASSERT_EQ(ring.size(), model.size());
        ASSERT_EQ(ring.empty(), model.empty());
        for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(ring[i], model[i]);
    }
    ring.clear();
    EXPECT_TRUE(ring.empty());
}

TEST(RingDeathTest, what_is_not_there_cannot_be_popped_or_read) {
    std::array<int, 2> storage{};
    Ring<int> ring(storage);
    EXPECT_DEATH_IF_SUPPORTED(ring.pop(), "");
    EXPECT_DEATH_IF_SUPPORTED(ring.pop_back(), "");
    EXPECT_DEATH_IF_SUPPORTED((void)ring.front(), "");
    EXPECT_DEATH_IF_SUPPORTED((void)ring.back(), "");
    EXPECT_DEATH_IF_SUPPORTED((void)ring[0], "");
}

}  // namespace
}  // namespace dunlin
