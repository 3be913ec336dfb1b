#include <dunlin/core/slot_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace dunlin {
namespace {

struct Slot {
    int value = 5;
    std::uint16_t next = kNoSlot;
    bool taken = false;
};

TEST(SlotPool, without_slots_is_full) {
    SlotPool<Slot> pool;
    EXPECT_TRUE(pool.full());
    EXPECT_EQ(pool.take(), kNoSlot);
    EXPECT_FALSE(pool.taken(0));
}

TEST(SlotPool, gives_every_slot_once_and_then_none) {
    std::array<Slot, 4> slots;
    SlotPool<Slot> pool(slots);
    std::set<std::uint16_t> taken;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(taken.insert(pool.take()).second);
    EXPECT_EQ(*taken.rbegin(), 3);
    EXPECT_TRUE(pool.full());
    EXPECT_EQ(pool.size(), pool.capacity());
    EXPECT_EQ(pool.take(), kNoSlot);
}

TEST(SlotPool, a_slot_taken_again_is_as_new) {
    std::array<Slot, 1> slots;
    SlotPool<Slot> pool(slots);
    const std::uint16_t first = pool.take();
    pool[first].value = 9;
    pool[first].next = 0;
    pool.release(first);
    EXPECT_FALSE(pool.taken(first));
    EXPECT_EQ(pool.size(), 0U);
    const std::uint16_t second = pool.take();
    EXPECT_EQ(pool[second].value, 5);
    EXPECT_EQ(pool[second].next, kNoSlot);
}

TEST(SlotPool, touches_no_slot_that_was_not_taken) {
    std::array<Slot, 3> slots{{{1, 1, true}, {2, 2, true}, {3, 3, true}}};
    SlotPool<Slot> pool(slots);
    EXPECT_FALSE(pool.taken(0));
    EXPECT_EQ(pool.take(), 0);
    EXPECT_EQ(pool.take(), 1);
    pool.release(0);
    EXPECT_EQ(pool.take(), 0);  // what was used goes before what was not
    EXPECT_FALSE(pool.taken(2));
    EXPECT_EQ(slots[2].value, 3);
    EXPECT_EQ(slots[2].next, 3);
    EXPECT_TRUE(slots[2].taken);
}

TEST(SlotPool, clear_frees_what_was_taken) {
    std::array<Slot, 2> slots;
    SlotPool<Slot> pool(slots);
    (void)pool.take();
    (void)pool.take();
    pool.clear();
    EXPECT_EQ(pool.size(), 0U);
    EXPECT_EQ(pool.take(), 0);
    EXPECT_EQ(pool.take(), 1);
}

TEST(SlotPoolDeathTest, a_free_slot_can_be_neither_read_nor_released) {
    std::array<Slot, 2> slots;
    SlotPool<Slot> pool(slots);
    const std::uint16_t slot = pool.take();
    pool.release(slot);
    EXPECT_DEATH_IF_SUPPORTED(pool.release(slot), "");
    EXPECT_DEATH_IF_SUPPORTED((void)pool[slot], "");
    EXPECT_DEATH_IF_SUPPORTED(pool.release(kNoSlot), "");
}

}  // namespace
}  // namespace dunlin
