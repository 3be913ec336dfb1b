#include "frames.hpp"

#include <frame_switch.hpp>

#include <gmock/gmock.h>

namespace dunlin_wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr PortIndex kA{0};
constexpr PortIndex kB{1};
constexpr PortIndex kC{2};

TEST(FrameSwitch, a_frame_for_many_or_for_a_stranger_leaves_by_every_other_port) {
    FrameSwitch frames(3);
    EXPECT_THAT(frames.forward(kB, frame_of(kBroadcast, station(2))), ElementsAre(kA, kC));
    EXPECT_THAT(frames.forward(kB, frame_of(MacAddress{0x0100'5e00'0001U}, station(2))), ElementsAre(kA, kC));
    EXPECT_THAT(frames.forward(kA, frame_of(station(9), station(1))), ElementsAre(kB, kC));
}

TEST(FrameSwitch, who_was_heard_of_gets_its_frames_alone) {
    FrameSwitch frames(3);
    (void)frames.forward(kA, frame_of(kBroadcast, station(1)));
    EXPECT_THAT(frames.forward(kC, frame_of(station(1), station(3))), ElementsAre(kA));
    EXPECT_THAT(frames.forward(kA, frame_of(station(3), station(1))), ElementsAre(kC));
}

TEST(FrameSwitch, a_station_that_moves_is_found_at_its_new_port) {
    FrameSwitch frames(3);
    (void)frames.forward(kA, frame_of(kBroadcast, station(1)));
    (void)frames.forward(kB, frame_of(kBroadcast, station(1)));
    EXPECT_THAT(frames.forward(kC, frame_of(station(1), station(3))), ElementsAre(kB));
}

TEST(FrameSwitch, what_is_for_a_station_at_the_same_port_goes_nowhere) {
    FrameSwitch frames(3);
    (void)frames.forward(kA, frame_of(kBroadcast, station(1)));
    EXPECT_THAT(frames.forward(kA, frame_of(station(1), station(4))), IsEmpty());
}

TEST(FrameSwitch, a_group_is_never_learned_as_a_sender) {
    FrameSwitch frames(2);
    (void)frames.forward(kA, frame_of(station(2), kBroadcast));
    EXPECT_EQ(frames.addresses(), 0U);
    EXPECT_THAT(frames.forward(kA, frame_of(kBroadcast, station(1))), ElementsAre(kB));
}

TEST(FrameSwitch, one_address_too_many_makes_it_forget_the_one_that_was_silent_for_longest) {
    FrameSwitch frames(3, 2);
    (void)frames.forward(kA, frame_of(kBroadcast, station(1)));
    (void)frames.forward(kB, frame_of(kBroadcast, station(2)));
    (void)frames.forward(kA, frame_of(kBroadcast, station(1)));
    (void)frames.forward(kC, frame_of(kBroadcast, station(3)));
    EXPECT_EQ(frames.addresses(), 2U);
    EXPECT_THAT(frames.forward(kC, frame_of(station(1), station(3))), ElementsAre(kA));
    EXPECT_THAT(frames.forward(kC, frame_of(station(2), station(3))), ElementsAre(kA, kB));
}

TEST(FrameSwitchDeathTest, what_is_no_frame_does_not_come_here) {
    FrameSwitch frames(2);
    const std::vector<std::byte> runt(kFrameBytesMin - 1);
    EXPECT_DEATH((void)frames.forward(kA, runt), "");
}

}  // namespace
}  // namespace dunlin_wire
