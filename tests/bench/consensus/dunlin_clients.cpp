// Member nodes that put, all in one thread of one process, each with a socket of its own: what so many members of a cluster would do.
// (A node's ledger session runs one command at a time.)
#include "load.hpp"

#include <dunlin/node/node_memory.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/dialer.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_error.hpp>
#include <dunlin_asio/udp.hpp>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <memory>
#include <string_view>

namespace {

using consensus_bench::Load;
using dunlin::Event;
using dunlin::EventKind;
using dunlin::Instant;

constexpr dunlin::Limits kClient{.peers = 8, .events = 64, .journal_buffer_bytes = 0};
constexpr std::uint16_t kFirstId = 1000;
constexpr dunlin::Duration kLook = dunlin::milliseconds{5};  // at the window, when nothing comes

class Client {
  public:
    Client(asio::io_context& io, std::span<const std::string_view> seeds, std::size_t number, const link_bench::Arguments& arguments,
           Load& load)
        : load_(&load),
          number_(number),
          pause_ns_(std::int64_t{arguments.pause_us} * 1000),
          udp_(io, {.bind = "127.0.0.1:0", .paths_max = 16, .socket_buffer_bytes = 1 << 16}),
          dialer_(io, udp_.local_endpoint().protocol()),
          memory_(std::make_unique<dunlin::NodeMemory<kClient>>()) {
        dunlin::Options options;
        options.id = dunlin::NodeId{static_cast<std::uint16_t>(kFirstId + number)};
        options.cluster = arguments.variant;
        options.seeds = seeds;
        options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
        options.seed = dunlin_asio::random_nonzero_u64();
        options.election_timeout_min = dunlin::milliseconds{arguments.election_ms};
        options.election_timeout_max = 2 * options.election_timeout_min;
        options.raft_heartbeat = options.election_timeout_min / 5;
        node_ = &memory_->emplace(options);
        const Instant now = dunlin_asio::boot_now();
        if (node_->start(now) != dunlin::Status::ok) throw dunlin_asio::HostError("the node cannot start.");
        put(now);
    }

    // Everything that can be done now. As dunlin_asio::HostLoop, but for many nodes in a thread.
    void turn(Instant now) {
        if (!udp_.has_input() && now < wake_at_) return;
        bool more = true;
        while (more) {
            now = dunlin_asio::boot_now();
            more = receive();
            if (node_->next_deadline() <= now) node_->on_timeout(now);
            if (may_put()) put(now);
            while (const auto event = node_->poll_event()) {
                take(now, *event);
                more = true;
            }
            dial(now);
            if (transmit(now)) more = true;
        }
        wake_at_ = node_->next_deadline();
        if (load_->paced() && warm_ && !under_way_) wake_at_ = std::min(wake_at_, now + dunlin::Duration{pause_ns_ / 1000});
    }
    void go() { wake_at_ = Instant{}; }
    [[nodiscard]] Instant wake_at() const { return wake_at_; }

  private:
    bool receive() {
        auto hand_over = [this](const dunlin_asio::Udp::Received& received) {
            node_->on_datagram(dunlin_asio::boot_now(), received.path, {}, received.bytes);
        };
        return udp_.receive(dunlin::Callback<void(const dunlin_asio::Udp::Received&)>::of(hand_over)) > 0;
    }
    void dial(Instant now) {
        while (const auto wanted = node_->poll_connect()) {
            dialer_.look_up(wanted->id, {reinterpret_cast<const char*>(wanted->address.data()), wanted->address.size()});
        }
        while (const auto answer = dialer_.take()) {
            const auto found = answer->endpoint ? udp_.dial(*answer->endpoint) : dunlin_asio::PathTable::Found{};
            const bool up = found.path != dunlin::PathId{};
            node_->on_path(now, found.path, {.state = up ? dunlin::PathState::up : dunlin::PathState::down, .dial = answer->dial});
        }
    }
    bool transmit(Instant now) {
        bool any = false;
        for (;;) {
            const std::span<std::byte> buffer = udp_.next_buffer();
            const auto packet = buffer.empty() ? std::nullopt : node_->poll_transmit(now, buffer);
            if (!packet) break;
            any = true;
            static_cast<void>(udp_.push(*packet));
        }
        udp_.flush();
        return any;
    }

    [[nodiscard]] bool may_put() const {
        if (under_way_) return false;
        if (!warm_) return true;
        if (!load_->warm()) return false;
        return !load_->paced() || link_bench::now_ns() >= issued_ns_ + pause_ns_;
    }
    void put(Instant now) {
        issued_ns_ = link_bench::now_ns();
        under_way_ = node_->put(now, consensus_bench::key_of(number_), consensus_bench::value_of(++puts_)).ok();
    }
    void take(Instant now, const Event& event) {
        if (event.kind != EventKind::request_done) return;
        under_way_ = false;
        const bool ok = event.status == dunlin::Status::ok;
        if (warm_) {
            load_->done(number_, issued_ns_, ok ? std::string_view{} : dunlin::to_string(event.status));
        } else if (ok) {
            warm_ = true;
            load_->warmed();
        }
        if (may_put()) put(now);
    }

    Load* load_;
    std::size_t number_;
    std::int64_t pause_ns_;
    dunlin_asio::Udp udp_;
    dunlin_asio::Dialer dialer_;
    std::unique_ptr<dunlin::NodeMemory<kClient>> memory_;
    dunlin::Node* node_ = nullptr;
    Instant wake_at_{};
    std::int64_t issued_ns_ = 0;
    std::uint64_t puts_ = 0;
    bool under_way_ = false;
    bool warm_ = false;
};

void run(const link_bench::Arguments& arguments) {
    asio::io_context io{1};
    const auto guard = asio::make_work_guard(io);
    Load load(arguments);
    const std::vector<std::string> servers = consensus_bench::servers_of(arguments);
    const std::vector<std::string_view> seeds(servers.begin(), servers.end());
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < arguments.clients; ++i) clients.push_back(std::make_unique<Client>(io, seeds, i, arguments, load));
    dunlin_asio::BootTimer timer(io);
    bool begun = false;
    while (!load.over()) {
        const Instant now = dunlin_asio::boot_now();
        Instant wake_at = now + kLook;
        for (const auto& client : clients) {
            client->turn(now);
            wake_at = std::min(wake_at, client->wake_at());
        }
        load.tick();
        if (!begun && load.warm()) {
            begun = true;
            for (const auto& client : clients) client->go();
            continue;
        }
        timer.set_at_latest(wake_at);
        io.run_one();
        io.poll();
    }
    if (!load.paced()) load.print();
}

}  // namespace

int main(int count, char** words) try { run(link_bench::parse(count, words)); } catch (const dunlin_asio::HostError& error) {
    std::fprintf(stderr, "dunlin_clients: %s\n", error.what());
    return 1;
}
