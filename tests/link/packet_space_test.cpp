#include <link/endpoint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace dunlin::link {
namespace {

// Sending four billion packets takes too long for a test: an explicit instantiation may name what is private.
void set_next(PacketSpace& space, PacketNumber next);
template <PacketNumber PacketSpace::*Next>
struct NextNumber {
    friend void set_next(PacketSpace& space, PacketNumber next) { space.*Next = next; }
};
template struct NextNumber<&PacketSpace::next_>;

constexpr std::uint32_t kPacketBytes = 1200;

struct PacketSpaceTest : testing::Test {
    std::array<SentPacket, 10> ring{};
    Endpoint end{NodeId{1}, 7};
    PacketSpace space{ring, end.shared};
    Instant now{seconds{1}};
    std::map<std::uint32_t, std::string> fates;
    std::vector<std::byte> bytes;

    void send(int count = 1) {
        for (int i = 0; i < count; ++i) space.on_sent(now, space.take_number(), kPacketBytes, SentPacket{});
    }
    void note(const SentPacket& packet, PacketFate fate) {
        if (fate == PacketFate::lost && packet.probed) return;  // queued again already
        fates[packet.number_low] += fate == PacketFate::acked ? "a" : fate == PacketFate::lost ? "l" : "p";
    }
    struct Range {
        std::uint32_t gap;
        std::uint32_t length;
    };
    bool ack(std::uint64_t largest, std::uint32_t length, const std::vector<Range>& more = {}, std::uint32_t delay_us = 0) {
        const wire::Ack fixed(largest, length, delay_us, static_cast<std::uint16_t>(more.size()), 0, 0);
        bytes.resize(more.size() * sizeof(Range));
        if (!more.empty()) std::memcpy(bytes.data(), more.data(), bytes.size());
        const wire::Record record{wire::RecordType::ack, bytes_of(fixed), bytes};
        auto sink = [this](const SentPacket& packet, PacketFate fate) { note(packet, fate); };
        return space.on_ack(now, record, FateSink::of(sink));
    }
    void time_out() {
        now = space.next_deadline();
        ASSERT_NE(now, kNever);
        wake();
    }
    void wake() {
        auto sink = [this](const SentPacket& packet, PacketFate fate) { note(packet, fate); };
        space.on_timeout(now, FateSink::of(sink));
    }
    using Fates = std::map<std::uint32_t, std::string>;
};

TEST_F(PacketSpaceTest, tells_the_fate_of_each_packet_once) {
    send(3);
    now += milliseconds{2};
    EXPECT_TRUE(ack(3, 1, {{1, 1}}));
    EXPECT_TRUE(ack(3, 3));
    EXPECT_TRUE(ack(3, 3));
    EXPECT_EQ(fates, (Fates{{1, "a"}, {2, "a"}, {3, "a"}}));
    EXPECT_EQ(space.in_flight(), 0);
    EXPECT_EQ(space.next_deadline(), kNever);
    EXPECT_EQ(space.rtt().smoothed(), milliseconds{2});
}

TEST_F(PacketSpaceTest, a_size_probe_that_is_lost_leaves_the_window_as_it_was) {
    send(2);
    SentPacket probe;
    probe.set_size_probe();
    space.on_sent(now, space.take_number(), 1472, probe);
    send(4);
    now += milliseconds{2};
    const std::uint32_t window = space.congestion().window();
    EXPECT_TRUE(ack(7, 4, {{1, 2}}));
    EXPECT_EQ(fates[3], "l");
    EXPECT_EQ(space.congestion().in_flight(), 0U);
    EXPECT_GE(space.congestion().window(), window);
    EXPECT_EQ(space.lost(), 0U);
    EXPECT_EQ(end.counters.get(Counter::congestion_events), 0U);
}

TEST_F(PacketSpaceTest, a_packet_is_lost_when_the_third_after_it_is_acknowledged) {
    send(4);
    now += milliseconds{1};
    EXPECT_TRUE(ack(3, 2));
    EXPECT_EQ(fates.count(1), 0U);
    EXPECT_TRUE(ack(4, 3));
    EXPECT_EQ(fates[1], "l");
    EXPECT_EQ(space.lost(), 1U);
}

TEST_F(PacketSpaceTest, a_packet_is_lost_nine_eighths_of_a_round_trip_after_it_was_sent_once_a_later_one_was_acknowledged) {
    send(1);
    now += milliseconds{8};
    send(1);
    now += milliseconds{16};
    EXPECT_TRUE(ack(2, 1));
    EXPECT_EQ(fates[1], "l");

    send(2);
    now += milliseconds{16};
    EXPECT_TRUE(ack(4, 1));
    EXPECT_EQ(fates.count(3), 0U);
    EXPECT_EQ(space.next_deadline(), now + milliseconds{2});
    time_out();
    EXPECT_EQ(fates[3], "l");
}

TEST_F(PacketSpaceTest, numbers_pass_the_32_bit_limit) {
    set_next(space, PacketNumber{0xffff'fffeU});
    send(8);  // ..fffe, ..ffff, 0 to 5
    now += milliseconds{1};
    EXPECT_TRUE(ack(0xffff'ffffU, 1));
    EXPECT_EQ(fates, (Fates{{0xffff'ffffU, "a"}}));
    EXPECT_TRUE(ack(0x1'0000'0001U, 1));
    EXPECT_EQ(fates, (Fates{{0xffff'ffffU, "a"}, {1, "a"}, {0xffff'fffeU, "l"}}));
    now += milliseconds{2};
    EXPECT_TRUE(ack(0x1'0000'0003U, 1));
    EXPECT_EQ(fates, (Fates{{0xffff'ffffU, "a"}, {1, "a"}, {0xffff'fffeU, "l"}, {3, "a"}, {0, "l"}}));
    EXPECT_TRUE(ack(0x1'0000'0005U, 7));
    EXPECT_EQ(space.in_flight(), 0);
}

TEST_F(PacketSpaceTest, probes_with_the_oldest_two_and_backs_off) {
    send(3);
    const Duration first = space.next_deadline() - now;
    EXPECT_EQ(first, milliseconds{100} + milliseconds{200});
    time_out();
    EXPECT_EQ(fates, (Fates{{1, "p"}, {2, "p"}}));
    EXPECT_TRUE(space.probe_owed());
    send(2);
    EXPECT_FALSE(space.probe_owed());
    EXPECT_EQ(space.next_deadline() - now, 2 * first);
    // A probe may find that nothing was lost.
    EXPECT_TRUE(ack(3, 3));
    EXPECT_EQ(fates, (Fates{{1, "pa"}, {2, "pa"}, {3, "a"}}));
    EXPECT_EQ(space.next_deadline() - now, space.rtt().probe_timeout(true));
}

TEST_F(PacketSpaceTest, the_ack_of_a_packet_alone_may_be_delayed_and_of_two_not) {
    send(1);
    now += milliseconds{2};
    EXPECT_TRUE(ack(1, 1));
    send(1);
    EXPECT_EQ(space.next_deadline() - now, space.rtt().probe_timeout(false));
    send(1);
    EXPECT_EQ(space.next_deadline() - now, space.rtt().probe_timeout(true));
    EXPECT_TRUE(ack(2, 1));
    EXPECT_EQ(space.next_deadline() - now, space.rtt().probe_timeout(false));
}

TEST_F(PacketSpaceTest, what_was_probed_is_not_queued_again_when_it_is_lost) {
    send(2);
    time_out();
    send(2);
    EXPECT_TRUE(ack(4, 1));
    EXPECT_EQ(fates, (Fates{{1, "p"}, {2, "p"}, {4, "a"}}));
    EXPECT_EQ(space.lost(), 2U);
}

TEST_F(PacketSpaceTest, keeps_two_places_for_control_and_always_room_for_probes) {
    send(8);
    EXPECT_EQ(space.data_ready_at(), kNever);
    EXPECT_TRUE(space.control_fits());
    send(2);
    EXPECT_FALSE(space.control_fits());
    for (int i = 0; i < 20; ++i) {
        time_out();
        EXPECT_TRUE(space.control_fits());
        send(2);
    }
    Duration longest{};
    for (int i = 0; i < 5; ++i) {
        longest = std::max(longest, space.next_deadline() - now);
        time_out();
        send(1);
    }
    EXPECT_LE(longest, PacketSpace::kProbeTimeoutMax + milliseconds{310});
}

TEST_F(PacketSpaceTest, keeps_a_place_more_for_each_packet_that_a_lane_leaves_to_others) {
    send(6);
    EXPECT_EQ(space.data_ready_at(2), kNever);
    EXPECT_NE(space.data_ready_at(1), kNever);
    send(1);
    EXPECT_EQ(space.data_ready_at(1), kNever);
    EXPECT_NE(space.data_ready_at(), kNever);
}

// A ring with more room than the congestion window.
struct WidePacketSpaceTest : PacketSpaceTest {
    std::array<SentPacket, 64> wide_ring{};
    WidePacketSpaceTest() { std::construct_at(&space, wide_ring, end.shared); }
};

TEST_F(WidePacketSpaceTest, data_stops_at_the_congestion_window_and_control_two_packets_behind_it) {
    send(10);
    EXPECT_EQ(space.data_ready_at(), kNever);
    EXPECT_TRUE(space.control_fits());
    send(2);
    EXPECT_FALSE(space.control_fits());
    now += milliseconds{1};
    EXPECT_TRUE(ack(12, 12));
    EXPECT_EQ(space.congestion().in_flight(), 0U);
    EXPECT_EQ(space.data_ready_at(), Instant::min());
    while (space.data_ready_at() != kNever) send();
    EXPECT_TRUE(space.control_fits());  // the two have left it
}

TEST_F(WidePacketSpaceTest, a_lane_that_leaves_packets_to_others_stops_so_many_short_of_the_window) {
    send(7);
    EXPECT_NE(space.data_ready_at(2), kNever);
    send(1);
    EXPECT_EQ(space.data_ready_at(2), kNever);
    EXPECT_NE(space.data_ready_at(1), kNever);
    send(1);
    EXPECT_EQ(space.data_ready_at(1), kNever);
    EXPECT_NE(space.data_ready_at(), kNever);
}

TEST_F(WidePacketSpaceTest, a_probe_goes_whatever_the_window_says) {
    send(12);
    EXPECT_FALSE(space.control_fits());
    time_out();
    EXPECT_TRUE(space.control_fits());
    send(2);
    EXPECT_FALSE(space.control_fits());
}

TEST_F(WidePacketSpaceTest, a_probe_leaves_its_two_packets_to_control) {
    send(10);
    time_out();
    send(2);
    EXPECT_TRUE(space.control_fits());
}

TEST_F(WidePacketSpaceTest, the_pace_is_no_deadline_once_it_is_kept) {
    send(1);
    now += milliseconds{100};
    EXPECT_TRUE(ack(1, 1));
    while (space.congestion().window() <= Pacer::kBurstPackets * kPacketBytes) {
        const PacketNumber first = space.next_number();
        while (space.congestion().fits()) send();
        now += milliseconds{100};
        EXPECT_TRUE(ack(space.next_number().value() - 1, static_cast<std::uint32_t>(space.next_number().value() - first.value())));
    }
    while (space.data_ready_at() == Instant::min()) send();
    const Instant ready = space.data_ready_at();
    ASSERT_GT(ready, now);
    ASSERT_NE(ready, kNever);
    now = ready;
    EXPECT_EQ(space.data_ready_at(), now);
    wake();
    EXPECT_EQ(space.data_ready_at(), Instant::min());
    send();
    EXPECT_GT(space.data_ready_at(), now);
}

TEST_F(WidePacketSpaceTest, one_round_trip_with_losses_cuts_the_window_once) {
    send(10);
    now += milliseconds{1};
    EXPECT_TRUE(ack(10, 1));  // 1 to 7 are lost
    EXPECT_EQ(space.congestion().window(), (10 + 1) * kPacketBytes / 2);
    EXPECT_EQ(end.counters.get(Counter::congestion_events), 1U);
    EXPECT_EQ(space.congestion().in_flight(), 2 * kPacketBytes);
    EXPECT_TRUE(ack(9, 2));
    send(6);  // 11 to 16
    now += milliseconds{1};
    EXPECT_TRUE(ack(16, 1));  // 11 to 13; the round trip before carried 8, 9 and 10: more than half of the window
    EXPECT_EQ(space.congestion().window(), (10 + 1) * kPacketBytes / 4);
    EXPECT_EQ(end.counters.get(Counter::congestion_events), 2U);
    EXPECT_EQ(end.counters.get(Counter::congestion_persistent), 0U);
}

TEST_F(WidePacketSpaceTest, nothing_but_losses_for_three_probe_timeouts_is_persistent_congestion) {
    const auto begin = [&] {
        space.reset(kPacketBytes);
        space.start_numbers();
        send(1);
        now += milliseconds{10};
        EXPECT_TRUE(ack(1, 1));
    };
    begin();
    const Duration timeout = space.rtt().probe_timeout();
    const auto lose_two = [&](Duration apart) {
        const PacketNumber first = space.next_number();
        send(1);
        now += apart;
        send(4);
        now += milliseconds{1};
        EXPECT_TRUE(ack(first.value() + 4, 1));
    };
    begin();
    lose_two(2 * timeout);
    EXPECT_EQ(end.counters.get(Counter::congestion_persistent), 0U);
    EXPECT_EQ(space.congestion().window(), 5 * kPacketBytes);
    space.reset(kPacketBytes);
    lose_two(4 * timeout);  // sent before this session has seen a round trip
    EXPECT_EQ(end.counters.get(Counter::congestion_persistent), 0U);
    begin();
    lose_two(4 * timeout);
    EXPECT_EQ(end.counters.get(Counter::congestion_persistent), 1U);
    EXPECT_EQ(space.congestion().window(), 2 * kPacketBytes);
}

TEST_F(PacketSpaceTest, a_round_trip_and_the_pause_between_probes_are_no_longer_than_the_idle_timeout) {
    end.self.idle_timeout = seconds{3};
    send(1);
    now += seconds{600};
    EXPECT_TRUE(ack(1, 1));
    EXPECT_EQ(space.rtt().smoothed(), seconds{3});
    send(1);
    for (int i = 0; i < 5; ++i) {
        EXPECT_LE(space.next_deadline() - now, PacketSpace::kProbeTimeoutMax + seconds{3});
        time_out();
        send(1);
    }
}

TEST_F(PacketSpaceTest, believes_no_ack_that_makes_no_sense) {
    send(5);
    EXPECT_FALSE(ack(6, 1));
    EXPECT_FALSE(ack(5, 0));
    EXPECT_FALSE(ack(5, 6));
    EXPECT_FALSE(ack(5, 1, {{0, 1}}));
    EXPECT_FALSE(ack(5, 1, {{4, 1}}));
    EXPECT_FALSE(ack(5, 1, {{1, 4}}));
    EXPECT_FALSE(ack(5, 1, {{1, 0}}));
    const wire::Ack promises(5, 1, 0, 3, 0, 0);
    auto sink = [this](const SentPacket& packet, PacketFate fate) { note(packet, fate); };
    EXPECT_FALSE(space.on_ack(now, {wire::RecordType::ack, bytes_of(promises), {}}, FateSink::of(sink)));
    EXPECT_TRUE(fates.empty());
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 8U);
    EXPECT_TRUE(ack(5, 1, {{1, 3}}));
}

TEST(RttEstimator, follows_rfc_9002) {
    RttEstimator rtt;
    EXPECT_EQ(rtt.smoothed(), milliseconds{100});
    rtt.add(milliseconds{80}, Duration{0});
    EXPECT_EQ(rtt.smoothed(), milliseconds{80});
    EXPECT_EQ(rtt.probe_timeout(), milliseconds{80 + 160 + 10});
    EXPECT_EQ(rtt.probe_timeout(true), milliseconds{80 + 160});
    rtt.add(milliseconds{88}, milliseconds{8});  // the delay is not the path's
    EXPECT_EQ(rtt.smoothed(), milliseconds{80});
    rtt.add(milliseconds{81}, milliseconds{8});  // but never takes a sample below the minimum
    EXPECT_EQ(rtt.smoothed(), microseconds{80'125});
    rtt.add(milliseconds{160}, seconds{10});  // and counts up to a maximum
    EXPECT_EQ(rtt.smoothed(), microseconds{80'125 - 80'125 / 8 + 150'000 / 8});
    EXPECT_EQ(rtt.loss_delay(), milliseconds{180});
    RttEstimator fast;
    fast.add(microseconds{10}, Duration{0});
    EXPECT_EQ(fast.loss_delay(), milliseconds{1});
    EXPECT_EQ(fast.probe_timeout(), microseconds{10 + 1000 + 10'000});
}

}  // namespace
}  // namespace dunlin::link
