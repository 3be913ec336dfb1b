#include "asio/host.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/gso.hpp>
#include <dunlin_asio/udp.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t bytes) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace dunlin_asio {
namespace {

using dunlin::PathId;

// One side of a game: answers each datagram that it gets.
struct Player {
    Player(asio::io_context& io, std::uint64_t& count) : udp(io, {.bind = "127.0.0.1:0"}), received(&count) {}
    void hit(PathId path) {
        const std::span<std::byte> buffer = udp.next_buffer();
        if (buffer.empty()) return;
        std::memset(buffer.data(), 7, 200);
        static_cast<void>(udp.push({path, 200}));
    }
    void operator()(const Udp::Received& datagram) {
        ++*received;
        hit(datagram.path);
    }
    // Several datagrams came in one message, and several left in one, wherever the kernel can do that.
    [[nodiscard]] bool used_trains() {
        return !has_gso(udp.native_handle()) || (udp.send_figures().trains_sent > 0 && udp.figures().trains_received > 0);
    }
    void turn() {
        udp.receive(dunlin::Callback<void(const Udp::Received&)>::of(*this));
        udp.flush();
    }
    Udp udp;
    std::uint64_t* received;
};

void play(asio::io_context& io, Player& a, Player& b, BootTimer& timer, std::uint64_t datagrams_each) {
    const std::uint64_t end_a = *a.received + datagrams_each;
    const std::uint64_t end_b = *b.received + datagrams_each;
    const dunlin::Instant limit = boot_now() + dunlin::seconds{60};
    while (*a.received < end_a || *b.received < end_b) {
        ASSERT_LT(boot_now(), limit);
        timer.set_at_latest(boot_now() + dunlin::milliseconds{1});  // re-armed all the time, as in a node's loop
        if (!a.udp.has_input() && !b.udp.has_input()) io.run_one();
        io.poll();
        a.turn();
        b.turn();
    }
}

TEST(Allocation, the_counter_of_this_test_sees_allocations) {
    const std::uint64_t before = allocations;
    delete new int(1);
    EXPECT_GT(allocations, before);
}

TEST(Allocation, ten_thousand_datagrams_each_way_allocate_nothing) {
    asio::io_context io(1);
    std::uint64_t at_a = 0;
    std::uint64_t at_b = 0;
    Player a(io, at_a);
    Player b(io, at_b);
    BootTimer timer(io);
    const PathId to_b = a.udp.dial(b.udp.local_endpoint()).path;
    for (int i = 0; i < 8; ++i) a.hit(to_b);
    a.udp.flush();
    play(io, a, b, timer, 500);  // warm-up
    if (HasFatalFailure()) return;
    const std::uint64_t before = allocations;
    play(io, a, b, timer, 10'000);
    if (HasFatalFailure()) return;
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_TRUE(a.used_trains() && b.used_trains());
}

// A node that takes every message and publishes as many as it has room for.
struct Chatter {
    Chatter(std::uint16_t id, const std::string& seed) : host({.id = id, .seed = seed}) {
        EXPECT_TRUE(host.node->subscribe("a", dunlin::bus::Handler::of(accept)).ok());
        host.loop->on_event([this](dunlin::Instant, const dunlin::Event& event) {
            if (event.kind == dunlin::EventKind::outcome && event.outcome == dunlin::Outcome::acknowledged) ++acknowledged;
        });
    }
    void publish(dunlin::Instant now) {
        const std::array<std::byte, 1000> payload{};  // one message a packet
        while (host.node->publish(now, {.topic = "a", .payload = payload}).ok()) {}
    }
    static dunlin::bus::Verdict take(const dunlin::bus::Message&) { return dunlin::bus::Verdict::accept; }

    dunlin::bus::Verdict (*accept)(const dunlin::bus::Message&) = take;
    asio_test::Host host;
    std::uint64_t acknowledged = 0;
};

// Each in its own loop and thread.
TEST(Allocation, two_nodes_that_exchange_ten_thousand_datagrams_each_way_allocate_nothing) {
    constexpr std::uint64_t kWarmUp = 1'000;
    constexpr std::uint64_t kDatagrams = 10'000;
    Chatter other(2, {});
    other.host.loop->on_turn([&](dunlin::Instant now) { other.publish(now); });
    std::thread thread([&] { other.host.loop->run(); });

    Chatter self(1, other.host.address());
    BootTimer limit(self.host.io, [&] { self.host.loop->stop(); });
    limit.set(boot_now() + dunlin::seconds{120});
    std::uint64_t at_warm_up = 0;
    std::uint64_t at_end = 0;
    self.host.loop->on_turn([&](dunlin::Instant now) {
        const std::uint64_t each_way = std::min(self.host.udp.figures().datagrams_received, self.host.udp.send_figures().datagrams_sent);
        if (at_warm_up == 0 && each_way >= kWarmUp) at_warm_up = allocations;
        if (each_way >= kWarmUp + kDatagrams) {
            at_end = allocations;
            return self.host.loop->stop();
        }
        self.publish(now);
    });
    EXPECT_EQ(self.host.loop->run(), HostLoop::Ending::stopped);
    other.host.loop->stop();
    thread.join();
    ASSERT_NE(at_end, 0U) << "not finished in time";
    EXPECT_EQ(at_end - at_warm_up, 0U);
    EXPECT_GT(self.acknowledged, kDatagrams / 2);
    EXPECT_EQ(self.host.udp.send_figures().trains_sent > 0, has_gso(self.host.udp.native_handle()));
}

}  // namespace
}  // namespace dunlin_asio
