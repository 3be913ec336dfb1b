// One publisher and as many subscribers as a gateway of a plant may have.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Host;
using test::Listener;
using test::NodeWorld;

constexpr std::uint16_t kSubscribers = 32;
constexpr std::uint16_t kSlow = 2 + 7;  // its id
constexpr Limits kPublisher{.peers = kSubscribers,
                            .remote_subscriptions = 2 * kSubscribers,
                            .outbox_bytes = 64 * 1024,
                            .outbox_messages = 64,
                            .deliveries = 64 * kSubscribers,
                            .lane_window = 16,
                            .message_bytes_max = 1024,
                            .journal_buffer_bytes = 0};

class FanOut : public testing::Test {
  protected:
    FanOut() {
        for (std::uint16_t i = 0; i < kSubscribers; ++i) {
            const auto id = static_cast<std::uint16_t>(2 + i);
            Host& host = world.add<limits::micro>(id, {"1"});
            EXPECT_TRUE(host.node->subscribe("t", bus::Handler::of(listeners[i])).ok());
            hosts.push_back(&host);
        }
        world.run_for(seconds{5});
    }
    Listener& listener(std::uint16_t id) { return listeners[static_cast<std::size_t>(id - 2)]; }
    // Outcomes of the publisher from this node.
    [[nodiscard]] std::ptrdiff_t outcomes(std::uint16_t id, Outcome outcome) const {
        return std::ranges::count_if(publisher.events, [&](const Event& event) {
            return event.kind == EventKind::outcome && event.node == NodeId{id} && event.outcome == outcome;
        });
    }
    NodeWorld world;
    std::array<Listener, kSubscribers> listeners{};
    Host& publisher = world.add<kPublisher>(1);
    std::vector<Host*> hosts;
};

TEST_F(FanOut, stores_a_payload_once_and_tells_one_outcome_a_subscriber) {
    listener(3).verdict = bus::Verdict::reject;
    const std::uint32_t free = publisher.node->status(world.now).outbox_bytes_free;
    const auto published = publisher.node->publish(world.now, {.topic = "t", .payload = test::bytes_of(std::string(256, 'x'))});
    ASSERT_TRUE(published.ok());
    EXPECT_EQ(published.value().subscribers, kSubscribers);
    EXPECT_EQ(published.value().reachable, kSubscribers);
    EXPECT_EQ(free - publisher.node->status(world.now).outbox_bytes_free, 256U);
    EXPECT_EQ(publisher.node->status(world.now).outbox_messages, 1U);
    world.run_for(seconds{2});
    for (std::uint16_t id = 2; id < 2 + kSubscribers; ++id) {
        EXPECT_EQ(listener(id).heard.size(), 1U) << id;
        EXPECT_EQ(outcomes(id, id == 3 ? Outcome::rejected : Outcome::acknowledged), 1) << id;
    }
    EXPECT_EQ(publisher.outcomes(), kSubscribers);
    EXPECT_EQ(publisher.node->status(world.now).outbox_bytes_free, free);
}

// What waits for it takes its own window and no more: then a publish to all is refused, one to the others never.
TEST_F(FanOut, goes_on_for_the_others_while_one_settles_nothing) {
    for (Host* host : hosts) {
        if (host->id == kSlow) continue;
        ASSERT_TRUE(host->node->subscribe("fast", bus::Handler::of(listener(host->id))).ok());
    }
    listener(kSlow).verdict = bus::Verdict::pending;
    world.run_for(seconds{2});
    std::size_t to_all = 0;
    while (world.publish(publisher, "t", "slow") == Status::ok) {
        ++to_all;
        world.run_for(milliseconds{20});
    }
    EXPECT_EQ(to_all, kPublisher.lane_window);
    constexpr std::size_t kMore = 100;
    for (std::size_t i = 0; i < kMore; ++i) {
        ASSERT_EQ(world.publish(publisher, "fast", "x"), Status::ok) << i;
        world.run_for(milliseconds{20});
    }
    for (const Host* host : hosts) {
        if (host->id == kSlow) continue;
        EXPECT_EQ(listener(host->id).count("slow"), static_cast<std::ptrdiff_t>(to_all)) << host->id;
        EXPECT_EQ(listener(host->id).count("x"), static_cast<std::ptrdiff_t>(kMore)) << host->id;
    }
    EXPECT_EQ(outcomes(kSlow, Outcome::acknowledged), 0);
}

}  // namespace
}  // namespace dunlin
