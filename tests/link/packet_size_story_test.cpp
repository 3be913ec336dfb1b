#include <link/link_pair.hpp>

namespace dunlin::link {
namespace {

struct PacketSizeStory : testing::Test {
    PacketSizeStory() {
        LinkSelf long_packets;
        long_packets.packet_bytes_max = 1472;
        pair.reset(0, long_packets);
        pair.reset(1, long_packets);
    }
    // Publishes so many messages of so many bytes, as room comes. False: not all were acknowledged in time.
    bool deliver(int count, Duration limit, std::size_t bytes = 300) {
        const Instant end = pair.now + limit;
        int published = 0;
        int acknowledged = 0;
        while (acknowledged < count && pair.now < end) {
            while (published < count && pair.a().publish(pair.now, std::string(bytes, 'x'))) ++published;
            pair.run_for(milliseconds{1});
            for (const OutcomeReport& report : pair.a().outcomes()) acknowledged += report.outcome == Outcome::acknowledged ? 1 : 0;
        }
        return acknowledged >= count;
    }
    std::uint32_t count(Counter counter) { return pair.a().counters.get(counter); }

    LinkPair pair;
};

TEST_F(PacketSizeStory, a_session_begins_at_1200_bytes_and_one_probe_raises_it_to_what_both_sides_allow) {
    pair.open();
    EXPECT_EQ(pair.a().link->packet_bytes(), 1200);
    pair.run_for(seconds{1});
    EXPECT_EQ(pair.a().link->packet_bytes(), 1472);
    EXPECT_EQ(pair.b().link->packet_bytes(), 1472);
    EXPECT_EQ(count(Counter::packet_size_probes), 1U);
    pair.record = true;
    EXPECT_TRUE(deliver(100, seconds{1}));
    std::size_t longest = 0;
    for (const auto& packet : pair.recorded) longest = std::max(longest, packet.size());
    EXPECT_GT(longest, 1250U);
    EXPECT_LE(longest, 1472U);
}

TEST_F(PacketSizeStory, a_probe_that_does_not_arrive_is_no_sign_of_congestion_and_costs_no_message) {
    pair.carries = 1300;
    pair.open();
    EXPECT_TRUE(deliver(3000, seconds{20}));
    pair.run_for(seconds{30});
    EXPECT_GT(pair.a().link->packet_bytes(), 1260);
    EXPECT_LE(pair.a().link->packet_bytes(), 1300);
    EXPECT_GT(count(Counter::packet_size_probes), 6U);
    EXPECT_EQ(count(Counter::congestion_events), 0U);
    EXPECT_EQ(count(Counter::congestion_persistent), 0U);
    EXPECT_EQ(count(Counter::packets_lost), 0U);
    EXPECT_EQ(count(Counter::messages_resent), 0U);
    EXPECT_TRUE(deliver(3000, seconds{1}));  // nothing is left in flight for ever
}

TEST_F(PacketSizeStory, a_path_that_becomes_narrower_in_mid_session_is_noticed_by_what_still_arrives) {
    pair.open();
    pair.run_for(seconds{1});
    ASSERT_EQ(pair.a().link->packet_bytes(), 1472);
    pair.carries = 1250;
    EXPECT_TRUE(deliver(200, seconds{5}));
    EXPECT_EQ(pair.a().link->packet_bytes(), 1200);
    EXPECT_EQ(count(Counter::packet_sizes_lowered), 1U);
    EXPECT_EQ(count(Counter::sessions_closed), 0U);
    EXPECT_TRUE(deliver(200, milliseconds{200}));
    pair.carries = 0xffff;
    pair.run_for(seconds{40});
    EXPECT_EQ(pair.a().link->packet_bytes(), 1472);
}

// All long packets are of records that need no ack.
struct PacketSizeWithoutAcks : PacketSizeStory, testing::WithParamInterface<std::uint16_t> {};

TEST_P(PacketSizeWithoutAcks, a_path_that_becomes_narrower_is_noticed) {
    pair.open();
    pair.run_for(seconds{1});
    ASSERT_EQ(pair.a().link->packet_bytes(), 1472);
    pair.carries = GetParam();
    for (int i = 0; i < 100; ++i) {
        pair.send(0, pair.a().heartbeat(pair.now, pair.a().link->packet_bytes() - 120U));
        pair.run_for(milliseconds{100});
    }
    EXPECT_LE(pair.a().link->packet_bytes(), pair.carries);
    EXPECT_EQ(count(Counter::sessions_closed), 0U);
}
INSTANTIATE_TEST_SUITE_P(Paths, PacketSizeWithoutAcks, testing::Values(1300, 1000, 600));

TEST_F(PacketSizeStory, packets_that_ask_for_an_ack_since_they_are_long_leave_room_for_messages) {
    pair.open();
    pair.run_for(seconds{1});
    pair.cut = true;
    pair.heartbeats = false;
    for (int i = 0; i < 64; ++i) pair.send(0, pair.a().heartbeat(pair.now, 1300));
    pair.record = true;
    ASSERT_TRUE(pair.a().publish(pair.now, "up"));
    pair.run_for(microseconds{500});  // its pace, and no probe yet
    EXPECT_EQ(pair.recorded.size(), 1U);
}

TEST_F(PacketSizeStory, what_was_queued_for_longer_packets_fits_the_shortest_ones) {
    pair.open();
    pair.run_for(seconds{1});
    pair.carries = 600;
    EXPECT_TRUE(deliver(60, seconds{20}, 1000));
    EXPECT_EQ(pair.a().link->packet_bytes(), 576);
    EXPECT_EQ(count(Counter::packet_sizes_lowered), 2U);
    EXPECT_EQ(count(Counter::sessions_closed), 0U);
    EXPECT_TRUE(deliver(60, milliseconds{500}, 1000));
}

TEST_F(PacketSizeStory, an_outage_is_no_narrow_path) {
    pair.open();
    pair.run_for(seconds{1});
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(pair.a().publish(pair.now, std::string(1000, 'x')));
        pair.cut = true;
        pair.run_for(milliseconds{2500});
        pair.cut = false;
        EXPECT_TRUE(deliver(5, seconds{3}));
    }
    EXPECT_EQ(count(Counter::sessions_closed), 0U);
    EXPECT_EQ(count(Counter::packet_sizes_lowered), 0U);
}

}  // namespace
}  // namespace dunlin::link
