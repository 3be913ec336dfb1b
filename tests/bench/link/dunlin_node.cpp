// Two Dunlin nodes, one a process: at-least-once, each message handed to its handler once, and counted by the publisher when the
// subscriber's handler has accepted it. mode=fanout: one publisher, many subscribers, each in a thread of one process.
#include "arguments.hpp"
#include "window.hpp"

#include <dunlin/node/node_memory.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_loop.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using dunlin::Event;
using dunlin::EventKind;
using dunlin::Instant;
using link_bench::Arguments;
using link_bench::Window;

constexpr dunlin::Limits kPair{
    .peers = 2,
    .payload_block_bytes = 64,
    .outbox_bytes = 2U << 20U,
    .outbox_messages = 16384,
    .deliveries = 16384,
    .inbox_bytes = 1U << 20U,
    .inbox_messages = 8192,
    .message_bytes_max = 16U << 10U,
    .unsettled_max = 1024,
    .packets_in_flight_per_peer = 256,
    .events = 64,
    .journal_buffer_bytes = 0,
};
// For long messages: a block holds one of 1 KiB, as whoever sends such would choose.
constexpr dunlin::Limits kLongPair = [] {
    dunlin::Limits limits = kPair;
    limits.payload_block_bytes = 1024;
    return limits;
}();
constexpr std::size_t kLongBytes = 512;  // from here on a block of 1 KiB is at least half full
constexpr std::uint16_t kFanoutMax = 32;
constexpr dunlin::Limits kFan = [] {
    dunlin::Limits limits = kPair;
    limits.peers = kFanoutMax + 1;
    limits.remote_subscriptions = kFanoutMax + 1;
    limits.outbox_messages = 1024;
    limits.deliveries = 1024 * kFanoutMax;
    limits.inbox_messages = 256;
    limits.inbox_bytes = 64U << 10U;
    limits.message_bytes_max = 1024;
    return limits;
}();
constexpr dunlin::Limits kLeaf = [] {
    dunlin::Limits limits = kPair;
    limits.outbox_messages = 16;
    limits.deliveries = 16;
    limits.outbox_bytes = 4096;
    limits.message_bytes_max = 1024;
    return limits;
}();

std::string loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

template <dunlin::Limits kLimits>
struct Host {
    Host(const Arguments& arguments, std::uint16_t id, const std::string& bind, const std::string& seed)
        : seed_text(seed),
          seeds{seed_text},
          udp(io, {.bind = bind, .loss_ppm = arguments.loss_ppm, .loss_seed = id}),
          memory(std::make_unique<dunlin::NodeMemory<kLimits>>()) {
        dunlin::Options options;
        options.id = dunlin::NodeId{id};
        options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
        options.seed = id;
        options.packet_bytes_max = static_cast<std::uint16_t>(arguments.datagram_bytes);
        if (!seed.empty()) options.seeds = seeds;
        node = &memory->emplace(options);
        loop = std::make_unique<dunlin_asio::HostLoop>(
            io, *node, udp, nullptr,
            dunlin_asio::HostLoopOptions{
                .stop_on_signals = false,
                .busy_poll = arguments.busy ? dunlin::Duration{dunlin::milliseconds{50}} : dunlin::Duration::zero()});
    }
    std::string seed_text;
    std::array<std::string_view, 1> seeds;
    asio::io_context io{1};
    dunlin_asio::Udp udp;
    std::unique_ptr<dunlin::NodeMemory<kLimits>> memory;
    dunlin::Node* node = nullptr;
    std::unique_ptr<dunlin_asio::HostLoop> loop;
};

// Looks at the window now and then, also when nothing comes.
struct Ticker {
    Ticker(asio::io_context& io, std::function<void()> tick) : tick_(std::move(tick)), timer_(io, [this] { ring(); }) { ring(); }
    void ring() {
        tick_();
        timer_.set(dunlin_asio::boot_now() + dunlin::milliseconds{10});
    }
    std::function<void()> tick_;
    dunlin_asio::BootTimer timer_;
};

template <dunlin::Limits kLimits>
class Publisher {
  public:
    explicit Publisher(const Arguments& arguments)
        : arguments_(arguments),
          host_(arguments, 1, loopback(arguments.mode == "fanout" ? arguments.port : std::uint16_t{0}),
                arguments.mode == "fanout" ? std::string() : loopback(arguments.port)),
          window_(arguments),
          payload_(arguments.payload_bytes, std::byte{'x'}),
          sent_ns_(kInFlightMax) {
        if (arguments.rate > 0) interval_ns_ = 1'000'000'000 / static_cast<std::int64_t>(arguments.rate);
    }
    void run() {
        host_.loop->on_event([this](Instant, const Event& event) { take(event); });
        host_.loop->on_turn([this](Instant now) { turn(now); });
        Ticker ticker(host_.io, [this] { tick(); });
        std::optional<dunlin_asio::BootTimer> pace;
        if (interval_ns_ > 0) {
            pace.emplace(host_.io, [this, &pace] {
                pace->set(dunlin_asio::boot_now() + dunlin::Duration{std::max<std::int64_t>(1, interval_ns_ / 1000)});
            });
            pace->set(dunlin_asio::boot_now());
        }
        host_.loop->run();
        window_.print();
        const auto& figures = host_.udp.send_figures();
        std::fprintf(stderr, "dunlin publisher: datagrams_sent=%llu bytes_sent=%llu trains=%llu blocked=%llu received=%llu\n",
                     static_cast<unsigned long long>(figures.datagrams_sent), static_cast<unsigned long long>(figures.bytes_sent),
                     static_cast<unsigned long long>(figures.trains_sent), static_cast<unsigned long long>(figures.times_blocked),
                     static_cast<unsigned long long>(host_.udp.figures().datagrams_received));
        if (dead_ > 0) std::fprintf(stderr, "dunlin publisher: %llu dead letters\n", static_cast<unsigned long long>(dead_));
    }

  private:
    static constexpr std::size_t kInFlightMax = 1U << 16U;

    void tick() {
        window_.tick(settled_);
        if (window_.over()) host_.loop->stop();
    }
    void take(const Event& event) {
        if (event.kind == EventKind::subscribed) ++subscribers_;
        if (event.kind != EventKind::outcome) return;
        if (event.outcome != dunlin::Outcome::acknowledged) ++dead_;
        ++settled_;
        if (arguments_.mode == "throughput") return;
        window_.latency(link_bench::now_ns() - sent_ns_[event.id % kInFlightMax]);
    }
    bool publish(Instant now, std::int64_t due_ns) {
        const auto published = host_.node->publish(now, {.topic = "bench", .payload = payload_});
        if (!published.ok()) return false;
        sent_ns_[published.value().id.value() % kInFlightMax] = due_ns;
        expected_ += published.value().subscribers;
        return true;
    }
    void turn(Instant now) {
        if (subscribers_ < arguments_.subscribers || window_.over()) return;
        if (arguments_.mode == "roundtrip") {
            if (settled_ == expected_) static_cast<void>(publish(now, link_bench::now_ns()));
            window_.tick(settled_);
            return;
        }
        if (arguments_.mode == "rate") {
            // A message is late from when it was due, not from when the node had time for it.
            const std::int64_t at = link_bench::now_ns();
            if (due_ns_ == 0) due_ns_ = at;
            while (due_ns_ <= at && publish(now, due_ns_)) due_ns_ += interval_ns_;
        } else {
            while (publish(now, 0)) {}
        }
        if (++turns_ % 16 == 0) window_.tick(settled_);
    }

    Arguments arguments_;
    Host<kLimits> host_;
    Window window_;
    std::vector<std::byte> payload_;
    std::vector<std::int64_t> sent_ns_;
    std::int64_t interval_ns_ = 0;
    std::int64_t due_ns_ = 0;
    std::uint64_t settled_ = 0;
    std::uint64_t expected_ = 0;
    std::uint64_t dead_ = 0;
    std::uint64_t turns_ = 0;
    std::uint16_t subscribers_ = 0;
};

template <dunlin::Limits kLimits>
struct Subscriber {
    Subscriber(const Arguments& arguments, std::uint16_t id, std::atomic<std::uint64_t>& total)
        : fanout(arguments.mode == "fanout"),
          host(arguments, id, loopback(fanout ? std::uint16_t{0} : arguments.port), fanout ? loopback(arguments.port) : std::string()),
          all(&total) {
        if (!host.node->subscribe("bench", dunlin::bus::Handler::of(*this)).ok()) std::abort();
    }
    dunlin::bus::Verdict operator()(const dunlin::bus::Message&) {
        ++count;
        return dunlin::bus::Verdict::accept;
    }
    void turn() {
        all->fetch_add(count, std::memory_order_relaxed);
        count = 0;
    }
    bool fanout;
    Host<kLimits> host;
    std::uint64_t count = 0;
    std::atomic<std::uint64_t>* all;
};

template <dunlin::Limits kLimits>
void subscribe(const Arguments& arguments) {
    std::atomic<std::uint64_t> total{0};
    std::vector<std::unique_ptr<Subscriber<kLimits>>> subscribers;
    for (std::uint16_t i = 0; i < arguments.subscribers; ++i) {
        subscribers.push_back(std::make_unique<Subscriber<kLimits>>(arguments, static_cast<std::uint16_t>(i + 2), total));
        Subscriber<kLimits>& each = *subscribers.back();
        each.host.loop->on_turn([&each](Instant) { each.turn(); });
    }
    Window window(arguments);
    Subscriber<kLimits>& first = *subscribers.front();
    std::uint64_t turns = 0;
    first.host.loop->on_turn([&](Instant) {
        first.turn();
        if (++turns % 16 == 0) window.tick(total);
    });
    Ticker ticker(first.host.io, [&] {
        window.tick(total);
        if (!window.over()) return;
        for (const auto& each : subscribers) each->host.loop->stop();
    });
    link_bench::say_ready();
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < subscribers.size(); ++i) threads.emplace_back([&each = *subscribers[i]] { each.host.loop->run(); });
    first.host.loop->run();
    for (std::thread& thread : threads) thread.join();
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    if (arguments.payload_bytes > kPair.message_bytes_max) return 4;
    const bool fanout = arguments.mode == "fanout";
    const bool long_messages = arguments.payload_bytes >= kLongBytes;
    if (arguments.publisher) {
        if (fanout) {
            Publisher<kFan>(arguments).run();
        } else if (long_messages) {
            Publisher<kLongPair>(arguments).run();
        } else {
            Publisher<kPair>(arguments).run();
        }
    } else if (fanout) {
        subscribe<kLeaf>(arguments);
    } else if (long_messages) {
        subscribe<kLongPair>(arguments);
    } else {
        subscribe<kPair>(arguments);
    }
}
