#include "lwip/far_end.hpp"

#include <dunlin/node/node_memory.hpp>
#include <dunlin_lwip/board_loop.hpp>
#include <dunlin_lwip/format_storage.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_lwip {
namespace {

using dunlin::Event;
using dunlin::EventKind;
using dunlin::Instant;
using dunlin::Status;
using Ending = BoardLoop::Ending;
using lwip_test::endpoint;
using lwip_test::fake_port;
using lwip_test::FarEnd;

constexpr std::string_view kBoard = "10.9.0.13:7000";
constexpr std::string_view kHost = "10.9.0.1:7000";
constexpr dunlin::Limits kLimits = dunlin::limits::micro;

// A node on another host: its packets go over the wire of the fake board.
struct HostNode {
    explicit HostNode(std::uint16_t id) {
        dunlin::Options options;
        options.id = dunlin::NodeId{id};
        options.instance = dunlin::InstanceId{id};
        options.seed = id;
        node = &memory->emplace(options);
        EXPECT_EQ(node->start(fake_port().now), Status::ok);
        EXPECT_TRUE(node->subscribe("count/+", dunlin::bus::Handler::of(*this)).ok());
    }
    dunlin::bus::Verdict operator()(const dunlin::bus::Message& message) {
        std::uint32_t number = 0;
        EXPECT_GE(message.payload.size(), sizeof number);
        std::memcpy(&number, message.payload.data(), sizeof number);
        numbers.push_back(number);
        return dunlin::bus::Verdict::accept;
    }
    // All that it has to do now.
    void serve() {
        constexpr dunlin::PathId kPath{1};
        const Instant now = fake_port().now;
        far.serve();
        for (const lwip_test::Datagram& datagram : far.datagrams) {
            node->on_datagram(now, kPath, {}, std::as_bytes(std::span(datagram.payload)));
        }
        far.datagrams.clear();
        if (node->next_deadline() <= now) node->on_timeout(now);
        while (node->poll_event()) {}
        while (const auto packet = node->poll_transmit(now, buffer)) {
            far.send(endpoint(kBoard), {reinterpret_cast<const char*>(buffer.data()), packet->bytes});
        }
    }

    FarEnd far{.endpoint = endpoint(kHost), .mac = {0x02, 0, 0x0a, 0x09, 0, 0x01}};
    std::unique_ptr<dunlin::NodeMemory<kLimits>> memory = std::make_unique<dunlin::NodeMemory<kLimits>>();
    dunlin::Node* node = nullptr;
    std::array<std::byte, 1472> buffer{};
    std::vector<std::uint32_t> numbers;
};

// A board with a node and its loop. While it sleeps, time goes by in steps that the test gives.
class LwipBoardLoop : public testing::Test {
  protected:
    LwipBoardLoop() { lwip_test::reset_fake_port(); }
    ~LwipBoardLoop() override {
        if (node) udp.close();
    }
    void make_node(std::uint64_t journal_bytes = 0) {
        std::string_view reason;
        ASSERT_EQ(udp.open({.address = kBoard}, reason), Status::ok) << reason;
        dunlin::Options options;
        options.id = dunlin::NodeId{13};
        options.instance = dunlin::InstanceId{13};
        options.seed = 13;
        if (!seeds[0].empty()) options.seeds = seeds;
        options.journal_bytes = journal_bytes;
        options.packet_bytes_max = packet_bytes_max;
        node = &memory->emplace(options);
        loop.emplace(*node, udp);
        loop->on_event(dunlin::Callback<void(Instant, const Event&)>::of(on_event));
    }
    // The host runs while the board sleeps, and what it sends wakes the board a little later.
    void sleep_beside(HostNode& host, Instant wake) {
        FakePort& port = fake_port();
        sleeps.push_back(wake);
        EXPECT_GT(wake, port.now) << "asked to sleep until a moment that has passed";
        for (;;) {
            port.now += dunlin::microseconds{100};
            host.serve();
            if (!port.received.empty() || port.now >= wake) return;
            port.now = std::min(wake, std::max(port.now, host.node->next_deadline() - dunlin::microseconds{100}));
        }
    }
    using FakePort = lwip_test::FakePort;

    struct OnEvent {
        void operator()(Instant now, const Event& event) {
            EXPECT_EQ(now, fake_port().now);
            kinds.push_back(event.kind);
            if (event.kind == EventKind::outcome && event.outcome == dunlin::Outcome::acknowledged) ++acknowledged;
        }
        [[nodiscard]] bool saw(EventKind kind) const { return std::ranges::find(kinds, kind) != kinds.end(); }
        std::vector<EventKind> kinds;
        unsigned acknowledged = 0;
    } on_event;
    Udp udp;
    std::array<std::string_view, 1> seeds{kHost};
    std::uint16_t packet_bytes_max = 1200;
    std::unique_ptr<dunlin::NodeMemory<kLimits>> memory = std::make_unique<dunlin::NodeMemory<kLimits>>();
    dunlin::Node* node = nullptr;
    std::optional<BoardLoop> loop;
    std::vector<Instant> sleeps;
};

TEST_F(LwipBoardLoop, a_node_on_a_board_publishes_to_one_on_a_host_and_drains) {
    constexpr std::uint32_t kMessages = 200;
    HostNode host(1);
    make_node();
    bool draining = false;
    unsigned sleeps_without_room = 0;
    std::uint32_t published = 0;
    auto turn = [&](Instant now) {
        dunlin::bus::PublishOptions options;
        options.topic = "count/up";
        options.payload = std::as_bytes(std::span(&published, 1));
        while (published < kMessages && node->publish(now, options).ok()) ++published;
        if (on_event.acknowledged == kMessages && !draining) {
            draining = true;
            fake_port().room = 0;  // so that the goodbye has to wait
            loop->shutdown();
        }
        if (now > Instant{dunlin::seconds{60}}) loop->stop();
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().on_sleep = [&](Instant wake) {
        if (draining && ++sleeps_without_room == 20) fake_port().room = 100;
        sleep_beside(host, wake);
    };
    EXPECT_EQ(loop->run(), Ending::drained);
    EXPECT_TRUE(udp.all_sent());
    EXPECT_GE(sleeps_without_room, 20U);
    EXPECT_EQ(loop->failure(), Status::ok);
    EXPECT_TRUE(on_event.saw(EventKind::started));
    EXPECT_EQ(on_event.acknowledged, kMessages);
    ASSERT_EQ(host.numbers.size(), kMessages);
    for (std::uint32_t i = 0; i < kMessages; ++i) ASSERT_EQ(host.numbers[i], i);
}

// A goodbye that left closes the session: that is to be told, though the turn had nothing else to do.
TEST_F(LwipBoardLoop, takes_another_turn_for_what_a_packet_caused_as_it_left) {
    constexpr Instant kLongQuiet{dunlin::seconds{10}};
    HostNode host(1);
    make_node();
    auto turn = [&](Instant now) {
        if (now < kLongQuiet) return kLongQuiet;
        EXPECT_TRUE(on_event.saw(EventKind::session_opened));
        loop->shutdown();
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().on_sleep = [&](Instant wake) { sleep_beside(host, wake); };
    EXPECT_EQ(loop->run(), Ending::drained);
    EXPECT_TRUE(on_event.saw(EventKind::session_closed));
}

// The controller takes a frame only now and then: all arrives, late.
TEST_F(LwipBoardLoop, asks_again_soon_while_the_controller_has_no_room) {
    HostNode host(1);
    make_node();
    std::uint32_t published = 0;
    auto turn = [&](Instant now) {
        dunlin::bus::PublishOptions options;
        options.topic = "count/up";
        options.payload = std::as_bytes(std::span(&published, 1));
        while (published < 50 && node->publish(now, options).ok()) ++published;
        if (on_event.acknowledged == 50 || now > Instant{dunlin::seconds{60}}) loop->stop();
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().room = 0;
    unsigned blocked = 0;
    fake_port().on_sleep = [&](Instant wake) {
        if (!udp.all_sent()) {
            ++blocked;
            EXPECT_LE(wake, fake_port().now + dunlin::milliseconds{1});
        }
        fake_port().room = blocked % 10 == 0 ? 1 : 0;
        sleep_beside(host, wake);
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_EQ(host.numbers.size(), 50U);
    EXPECT_GE(blocked, 20U);
}

// Whichever look is the last to find no room, the loop does not sleep for long on what is ready.
TEST_F(LwipBoardLoop, sends_soon_what_the_controller_had_no_room_for_a_moment_ago) {
    HostNode host(1);
    packet_bytes_max = 576;
    make_node();
    constexpr std::uint32_t kMessages = 4;  // in two packets
    constexpr unsigned kRounds = 8;
    const std::array<std::byte, 200> payload{};
    std::uint32_t published = 0;
    unsigned rounds = 0;
    unsigned refusals = 0;
    auto turn = [&](Instant now) {
        if (now > Instant{dunlin::seconds{60}}) loop->stop();
        if (on_event.acknowledged < published || node->subscriber_count("count/up") == 0) return dunlin::kNever;
        if (rounds == kRounds) {
            loop->stop();
            return dunlin::kNever;
        }
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            dunlin::bus::PublishOptions options;
            options.topic = "count/up";
            options.payload = payload;
            if (node->publish(now, options).ok()) ++published;
        }
        ++rounds;
        refusals = 0;
        fake_port().room = 0;
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().on_refused = [&] {
        if (++refusals == rounds) fake_port().room = 100;
    };
    fake_port().on_sleep = [&](Instant wake) {
        std::array<std::byte, 1472> buffer{};
        if (wake > fake_port().now + dunlin::milliseconds{1}) {
            EXPECT_FALSE(node->poll_transmit(fake_port().now, buffer).has_value())
                << "asleep with a packet ready, after refusal " << refusals;
        }
        sleep_beside(host, wake);
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_EQ(published, kRounds * kMessages);
    EXPECT_EQ(host.numbers.size(), published);
}

TEST_F(LwipBoardLoop, takes_one_more_turn_for_an_interrupt_that_came_as_it_fell_asleep) {
    seeds = {};
    make_node();
    unsigned turns = 0;
    unsigned turns_before = 0;  // the interrupt
    auto turn = [&](Instant) {
        if (++turns > 100) loop->stop();
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().on_falling_asleep = [&] {
        if (turns < 3 || turns_before != 0) return;
        turns_before = turns;
        loop->wake();
    };
    fake_port().on_sleep = [&](Instant wake) {
        if (turns_before != 0) return loop->stop();
        fake_port().now = wake;
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_NE(turns_before, 0U);
    EXPECT_EQ(turns, turns_before + 2) << "one for the interrupt, and one after the sleep";
}

TEST_F(LwipBoardLoop, is_stopped_by_an_interrupt_that_came_as_it_fell_asleep) {
    seeds = {};
    make_node();
    unsigned sleeps_begun = 0;
    fake_port().on_falling_asleep = [&] {
        ++sleeps_begun;
        loop->stop();
    };
    fake_port().on_sleep = [&](Instant) { ADD_FAILURE() << "slept through it"; };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_EQ(sleeps_begun, 1U);
}

TEST_F(LwipBoardLoop, sleeps_until_the_earliest_of_all_deadlines) {
    make_node();
    Instant application = dunlin::kNever;
    unsigned turns = 0;
    auto turn = [&](Instant now) {
        application = ++turns % 3 == 0 ? now + dunlin::microseconds{777} : dunlin::kNever;
        return application;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    unsigned by_node = 0;
    unsigned by_application = 0;
    unsigned by_network = 0;
    fake_port().on_sleep = [&](Instant wake) {
        fake_port().sent.clear();  // nobody answers
        EXPECT_EQ(wake, std::min({node->next_deadline(), application, udp.next_deadline()}));
        by_node += wake == node->next_deadline() ? 1 : 0;
        by_application += wake == application ? 1 : 0;
        by_network += wake == udp.next_deadline() ? 1 : 0;
        fake_port().now = wake;
        if (by_node > 20 && by_application > 20 && by_network > 4) loop->stop();
        if (turns > 10'000) loop->stop();
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_LT(turns, 10'000U) << by_node << " " << by_application << " " << by_network;
}

// A node that knows nobody has nothing to do: neither does its core.
TEST_F(LwipBoardLoop, sleeps_for_good_where_nothing_is_to_be_done) {
    seeds = {};
    make_node();
    fake_port().on_sleep = [&](Instant wake) {
        sleeps.push_back(wake);
        if (wake == dunlin::kNever || sleeps.size() > 100) return loop->stop();
        fake_port().now = wake;
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_EQ(sleeps.back(), dunlin::kNever);
    EXPECT_LT(sleeps.size(), 20U);
}

TEST_F(LwipBoardLoop, a_drain_that_takes_too_long_ends_at_its_limit) {
    HostNode host(1);
    make_node();
    bool silent = false;
    Instant shut_down_at{};
    auto turn = [&](Instant now) {
        dunlin::bus::PublishOptions options;
        options.topic = "count/up";
        const std::array<std::byte, 4> payload{};
        options.payload = payload;
        if (!silent && node->publish(now, options).ok()) {
            shut_down_at = now;
            silent = true;  // from here on the host hears nothing, so that the outcome never comes
            loop->shutdown();
        }
        return dunlin::kNever;
    };
    loop->on_turn(dunlin::Callback<Instant(Instant)>::of(turn));
    fake_port().on_sleep = [&](Instant wake) {
        if (!silent) return sleep_beside(host, wake);
        fake_port().sent.clear();
        fake_port().now = wake;
    };
    EXPECT_EQ(loop->run(), Ending::drain_limit);
    EXPECT_EQ(fake_port().now, shut_down_at + BoardLoopOptions{}.drain_limit);
}

TEST_F(LwipBoardLoop, recovers_a_journal_that_was_formatted_and_fails_on_a_blank_one) {
    fake_port().device.assign(dunlin::journal_device_bytes_min<kLimits>(), std::byte{0});
    alignas(8) std::array<std::byte, kLimits.journal_buffer_bytes> buffer{};
    ASSERT_EQ(
        format_storage({.node = dunlin::NodeId{13}, .storage = dunlin::StorageId{1}, .stream = dunlin::StreamId{2}, .cluster = "dunlin"},
                       buffer),
        Status::ok);
    make_node(fake_port().device.size());
    fake_port().on_sleep = [&](Instant wake) {
        fake_port().now = wake;
        if (on_event.saw(EventKind::started) || wake > Instant{dunlin::seconds{10}}) loop->stop();
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_TRUE(on_event.saw(EventKind::started));
    EXPECT_GT(fake_port().operations, 4U);
    udp.close();

    std::ranges::fill(fake_port().device, std::byte{0});
    on_event.kinds.clear();
    memory = std::make_unique<dunlin::NodeMemory<kLimits>>();
    make_node(fake_port().device.size());
    EXPECT_EQ(loop->run(), Ending::failed);
    EXPECT_EQ(loop->failure(), Status::blank);
    EXPECT_FALSE(on_event.saw(EventKind::started));
}

TEST_F(LwipBoardLoop, says_that_the_node_refuses_its_options) {
    make_node(4096);  // a journal shorter than these limits need
    EXPECT_EQ(loop->run(), Ending::failed);
    EXPECT_EQ(loop->failure(), Status::device_full);
}

TEST_F(LwipBoardLoop, goes_on_where_a_seed_is_no_address) {
    seeds = {"valve.local:7000"};
    make_node();
    unsigned slept = 0;
    fake_port().on_sleep = [&](Instant wake) {
        fake_port().now = wake;
        if (++slept == 20) loop->stop();
    };
    EXPECT_EQ(loop->run(), Ending::stopped);
    EXPECT_EQ(udp.figures().datagrams_sent, 0U);
}

}  // namespace
}  // namespace dunlin_lwip
