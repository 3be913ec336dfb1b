#include <dunlin/link/congestion_window.hpp>
#include <dunlin/link/lane_scheduler.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

LaneSet set_of(std::initializer_list<Lane> lanes) {
    LaneSet set;
    for (const Lane lane : lanes) set.add(lane);
    return set;
}

TEST(LaneScheduler, the_highest_lane_that_wants_a_packet_gets_it) {
    const LaneScheduler scheduler;
    EXPECT_EQ(scheduler.next(set_of({Lane::bulk})), Lane::bulk);
    EXPECT_EQ(scheduler.next(set_of({Lane::bulk, Lane::normal})), Lane::normal);
    EXPECT_EQ(scheduler.next(set_of({Lane::bulk, Lane::normal, Lane::urgent})), Lane::urgent);
}

TEST(LaneScheduler, a_lane_that_waits_gets_one_packet_in_sixteen) {
    LaneScheduler scheduler;
    const LaneSet all = set_of({Lane::bulk, Lane::normal, Lane::urgent});
    std::array<int, kLanesMax> packets{};
    int longest_wait = 0;
    int waits = 0;
    for (int i = 0; i < 160; ++i) {
        const Lane lane = scheduler.next(all);
        scheduler.sent(lane, all);
        ++packets[index_of(lane)];
        waits = lane == Lane::bulk ? 0 : waits + 1;
        longest_wait = std::max(longest_wait, waits);
    }
    EXPECT_EQ(packets[index_of(Lane::normal)], 10);
    EXPECT_EQ(packets[index_of(Lane::bulk)], 9);
    EXPECT_LE(longest_wait, 16);
}

TEST(LaneScheduler, a_lane_that_wants_nothing_is_not_passed_over) {
    LaneScheduler scheduler;
    for (int i = 0; i < 100; ++i) scheduler.sent(Lane::urgent, set_of({Lane::urgent}));
    EXPECT_EQ(scheduler.next(set_of({Lane::bulk, Lane::urgent})), Lane::urgent);
}

TEST(LaneScheduler, a_lane_leaves_a_packet_to_each_above_it_but_in_its_turn) {
    LaneScheduler scheduler;
    EXPECT_EQ(scheduler.reserve(Lane::normal, 1), 0);
    EXPECT_EQ(scheduler.reserve(Lane::normal, 2), 1);
    EXPECT_EQ(scheduler.reserve(Lane::bulk, 3), 2);
    EXPECT_EQ(scheduler.reserve(Lane::urgent, 3), 0);
    for (int i = 0; i < 15; ++i) scheduler.sent(Lane::urgent, set_of({Lane::bulk, Lane::urgent}));
    EXPECT_EQ(scheduler.reserve(Lane::bulk, 3), 0);
}

TEST(LaneScheduler, bulk_leaves_a_quarter_of_the_outbox_and_normal_an_eighth) {
    EXPECT_TRUE(LaneScheduler::leaves_room(Lane::bulk, 3, 25, 100, false));
    EXPECT_FALSE(LaneScheduler::leaves_room(Lane::bulk, 3, 24, 100, false));
    EXPECT_TRUE(LaneScheduler::leaves_room(Lane::normal, 2, 12, 100, false));
    EXPECT_FALSE(LaneScheduler::leaves_room(Lane::normal, 2, 11, 100, false));
    EXPECT_TRUE(LaneScheduler::leaves_room(Lane::normal, 1, 0, 100, false));
    EXPECT_TRUE(LaneScheduler::leaves_room(Lane::urgent, 3, 0, 100, false));
    EXPECT_TRUE(LaneScheduler::leaves_room(Lane::bulk, 3, 0, 100, true));
}

TEST(CongestionWindow, a_lane_that_leaves_room_fits_an_empty_window_and_fills_it_in_its_own_eyes) {
    CongestionWindow window;
    window.reset(1200);
    while (window.fits(2)) window.on_sent(1, 1200, 2);
    EXPECT_TRUE(window.fits());
    const std::uint32_t before = window.window();
    window.on_acked(1, 1200);
    EXPECT_GT(window.window(), before);
    window.on_persistent_congestion();
    while (window.in_flight() > 0) window.on_acked(1, 1200);
    EXPECT_TRUE(window.fits(2));
}

}  // namespace
}  // namespace dunlin::link
