#include <dunlin/membership/failure_detector.hpp>
#include <dunlin/wire/wire.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace dunlin::membership {
namespace {

constexpr Duration kInterval = milliseconds{200};
constexpr PeerIndex kPeer{1};
constexpr NodeId kNode{7};

struct Fixture : testing::Test {
    std::array<Watched, 3> watched{};
    std::array<Event, 16> event_storage{};
    Counters counters;
    EventQueue events{event_storage, counters};
    FailureDetector detector{watched, kInterval, counters, events};
    Instant now{seconds{100}};

    std::vector<EventKind> polled() {
        std::vector<EventKind> kinds;
        for (Event event = events.pop(); event.kind != EventKind::none; event = events.pop()) kinds.push_back(event.kind);
        return kinds;
    }
    void beat(std::uint64_t sequence) {
        const wire::Heartbeat fixed(sequence, static_cast<std::uint32_t>(to_us(kInterval)), 0);
        detector.heard(now, kPeer);
        detector.on_heartbeat(now, kPeer, {wire::RecordType::heartbeat, bytes_of(fixed), {}});
    }
    // Lets time pass with on_timeout() called when due; returns the moment of the first event of `kind`.
    Instant wait_for(EventKind kind, Duration limit) {
        const Instant end = now + limit;
        while (now < end) {
            now = std::min(end, std::max(now, detector.next_deadline()));
            detector.on_timeout(now);
            for (const EventKind seen : polled()) {
                if (seen == kind) return now;
            }
        }
        return kNever;
    }
};
using FailureDetectorTest = Fixture;

TEST_F(FailureDetectorTest, reports_a_crash_within_its_stated_bound_after_suspecting_first) {
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    for (std::uint64_t i = 1; i <= 50; ++i, now += kInterval) beat(i);
    const Instant last = detector.last_heard(kPeer);
    EXPECT_EQ(polled(), std::vector{EventKind::peer_alive});
    detector.session_closed(kPeer);
    EXPECT_NE(wait_for(EventKind::peer_suspect, seconds{5}), kNever);
    const Instant dead = wait_for(EventKind::peer_dead, seconds{5});
    EXPECT_LE(dead - last, FailureDetector::detection_bound(kInterval));
    EXPECT_EQ(counters.get(Counter::peers_died), 1U);
    EXPECT_EQ(detector.next_deadline(), kNever);
}

TEST_F(FailureDetectorTest, stays_silent_about_a_peer_that_is_heard_in_time) {
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    for (std::uint64_t i = 1; i <= 500; ++i) {
        beat(i);
        now += kInterval;
        detector.on_timeout(now);
    }
    EXPECT_EQ(polled(), std::vector{EventKind::peer_alive});
}

TEST_F(FailureDetectorTest, waits_longer_for_a_peer_whose_heartbeats_come_irregularly) {
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    for (std::uint64_t i = 1; i <= 60; ++i) {
        beat(i);
        now += i % 3 == 0 ? 3 * kInterval : kInterval / 2;
    }
    beat(61);
    static_cast<void>(polled());
    detector.on_timeout(now + 3 * kInterval);
    EXPECT_EQ(detector.health(kPeer), Health::alive);
    detector.on_timeout(now + 5 * kInterval);
    EXPECT_EQ(detector.health(kPeer), Health::suspect);
}

TEST_F(FailureDetectorTest, takes_an_old_heartbeat_for_nothing) {
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    beat(5);
    const auto received = counters.get(Counter::heartbeats_received);
    beat(4);
    beat(5);
    EXPECT_EQ(counters.get(Counter::heartbeats_received), received);
}

TEST_F(FailureDetectorTest, revives_a_dead_peer_only_with_a_new_session) {
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    detector.session_closed(kPeer);
    EXPECT_NE(wait_for(EventKind::peer_dead, seconds{5}), kNever);
    now += seconds{1};
    detector.session_opened(now, kPeer, kNode, BootEpoch{2});
    EXPECT_EQ(polled(), std::vector{EventKind::peer_alive});
}

TEST_F(FailureDetectorTest, sends_a_heartbeat_each_interval_while_a_session_is_open) {
    std::array<std::byte, 256> buffer{};
    EXPECT_FALSE(detector.wants_to_send(now, kPeer));
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    for (int i = 0; i < 3; ++i) {
        detector.heard(now, kPeer);
        EXPECT_TRUE(detector.wants_to_send(now, kPeer));
        wire::PacketWriter writer(buffer);
        detector.write_records(now, kPeer, writer);
        EXPECT_FALSE(writer.empty());
        EXPECT_FALSE(detector.wants_to_send(now, kPeer));
        EXPECT_EQ(detector.next_deadline(), now + kInterval);
        now += kInterval;
    }
    detector.session_closed(kPeer);
    EXPECT_FALSE(detector.wants_to_send(now, kPeer));
}

TEST_F(FailureDetectorTest, keeps_a_due_heartbeat_for_the_next_packet_when_this_one_is_full) {
    std::array<std::byte, wire::kHeaderBytes> buffer{};
    detector.session_opened(now, kPeer, kNode, BootEpoch{1});
    wire::PacketWriter writer(buffer);
    detector.write_records(now, kPeer, writer);
    EXPECT_TRUE(writer.empty());
    EXPECT_TRUE(detector.wants_to_send(now, kPeer));
}

}  // namespace
}  // namespace dunlin::membership
