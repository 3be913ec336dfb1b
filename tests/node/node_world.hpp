#pragma once

#include <dunlin/node/formatter.hpp>
#include <dunlin/node/node_memory.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dunlin::test {

using Disk = std::vector<std::byte>;

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Counts what it hears, and answers with `verdict`.
struct Listener {
    bus::Verdict operator()(const bus::Message& message) {
        heard.emplace_back(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
        return verdict;
    }
    [[nodiscard]] auto count(std::string_view text) const { return std::count(heard.begin(), heard.end(), text); }

    bus::Verdict verdict = bus::Verdict::accept;
    std::vector<std::string> heard{};
};

// A real node between a network and a disk in memory.
struct Host {
    struct Memory {
        virtual ~Memory() = default;
        virtual Node& emplace(const Options& options) = 0;
    };
    template <Limits L>
    struct MemoryOf : Memory {
        Node& emplace(const Options& options) override { return memory.emplace(options); }
        NodeMemory<L> memory;
    };

    [[nodiscard]] std::size_t outcomes() const {
        return static_cast<std::size_t>(std::ranges::count(events, EventKind::outcome, &Event::kind));
    }

    std::uint16_t id = 0;
    std::uint16_t address = 0;
    std::string cluster;
    std::vector<std::string> seeds;
    std::vector<std::string_view> seed_views;
    std::unique_ptr<Memory> memory;
    Node* node = nullptr;
    Disk* disk = nullptr;
    Duration disk_delay{};
    std::optional<journal::DeviceOp> operation{};
    Instant operation_done{};
    std::vector<Event> events{};
    std::vector<std::size_t> probes{};  // bytes of the packets that it sent as size probes
    bool deaf = false;                  // loses what is sent to it
    bool mute = false;                  // and what it sends
    unsigned late_deadlines = 0;        // its next deadline was not in the future after a whole turn
};

// Hosts that reach each other by their ids as addresses, unless said otherwise, in 200 us, in virtual time.
class NodeWorld {
  public:
    template <Limits L>
    Host& add(std::uint16_t id, std::vector<std::string> seeds = {}, Disk* disk = nullptr, std::string cluster = "c") {
        return add_at<L>(id, NodeId{id}, std::move(seeds), disk, std::move(cluster));
    }
    // One whose address is not its id.
    template <Limits L>
    Host& add_at(std::uint16_t address, NodeId id, std::vector<std::string> seeds = {}, Disk* disk = nullptr, std::string cluster = "c") {
        auto made = std::make_unique<Host>();
        Host& host = *made;
        host.id = id.value();
        host.address = address;
        host.cluster = std::move(cluster);
        host.seeds = std::move(seeds);
        host.seed_views.assign(host.seeds.begin(), host.seeds.end());
        host.disk = disk;
        host.memory = std::make_unique<Host::MemoryOf<L>>();
        Options options;
        options.id = id;
        options.cluster = host.cluster;
        options.seeds = host.seed_views;
        options.instance = InstanceId{++instances_};
        options.seed = instances_ * 7919;
        options.packet_bytes_max = packet_bytes_max;
        options.journal_bytes = disk != nullptr ? disk->size() : 0;
        host.node = &host.memory->emplace(options);
        hosts_[address] = std::move(made);
        EXPECT_EQ(host.node->start(now), Status::ok);
        if (disk != nullptr) run_for(milliseconds{20});
        return host;
    }
    // As SIGKILL does.
    void remove(std::uint16_t id) { hosts_.erase(id); }
    void stop_gracefully(std::uint16_t id) {
        hosts_.at(id)->node->shutdown(now);
        run_for(milliseconds{50});
        EXPECT_TRUE(hosts_.at(id)->node->drained());
        remove(id);
    }

    static Disk formatted_disk(std::uint16_t id, std::size_t bytes, std::size_t buffer_bytes,
                               std::optional<ledger::Bootstrap> bootstrap = {}) {
        Disk disk(bytes);
        std::vector<std::byte> buffer(buffer_bytes);
        Counters counters;
        journal::Journal journal({buffer}, counters);
        FormatPlan plan;
        plan.node = NodeId{id};
        plan.storage = StorageId{id + 100U};
        plan.stream = StreamId{id + 200U};
        plan.cluster = "c";
        plan.init = bootstrap.has_value();
        if (bootstrap) plan.bootstrap = *bootstrap;
        Formatter formatter(journal, plan);
        EXPECT_EQ(formatter.begin(disk.size()), Status::ok);
        while (!formatter.done()) {
            const auto operation = formatter.poll_op();
            if (!operation) continue;
            perform(*operation, disk);
            formatter.on_complete(operation->id, Status::ok);
        }
        EXPECT_EQ(formatter.status(), Status::ok);
        return disk;
    }

    Status publish(Host& host, std::string_view topic, std::string_view text) {
        return host.node->publish(now, {.topic = topic, .payload = bytes_of(text)}).status();
    }

    void run_for(Duration duration) {
        const Instant end = now + duration;
        for (;;) {
            for (auto& [id, host] : hosts_) turn(*host);
            const Instant next = next_event();
            if (next >= end) break;
            now = next;
            deliver();
        }
        now = end;
    }

    Instant now{seconds{1000}};
    std::uint16_t packet_bytes_max = 1200;  // of hosts that are added

  private:
    struct Packet {
        std::uint16_t from;
        std::uint16_t to;
        std::vector<std::byte> bytes;
    };

    static void perform(const journal::DeviceOp& operation, Disk& disk) {
        if (operation.kind == journal::DeviceOp::Kind::write)
            std::memcpy(disk.data() + operation.offset, operation.buffer.data(), operation.buffer.size());
        if (operation.kind == journal::DeviceOp::Kind::read)
            std::memcpy(operation.buffer.data(), disk.data() + operation.offset, operation.buffer.size());
    }

    Instant next_event() {
        Instant next = air_.empty() ? kNever : air_.begin()->first;
        for (auto& [id, host] : hosts_) {
            if (host->operation) next = earlier(next, host->operation_done);
            const Instant deadline = host->node->next_deadline();
            if (deadline <= now) ++host->late_deadlines;
            next = earlier(next, std::max(deadline, now + microseconds{1}));
        }
        return std::max(next, now);
    }

    void deliver() {
        while (!air_.empty() && air_.begin()->first <= now) {
            const Packet packet = std::move(air_.begin()->second);
            air_.erase(air_.begin());
            const auto host = hosts_.find(packet.to);
            if (host != hosts_.end() && !host->second->deaf) host->second->node->on_datagram(now, PathId{packet.from}, {}, packet.bytes);
        }
    }

    void turn(Host& host) {
        if (host.node->next_deadline() <= now) host.node->on_timeout(now);
        for (bool more = true; more;) {
            more = step_disk(host);
            while (const auto event = host.node->poll_event()) {
                host.events.push_back(*event);
                more = true;
            }
            while (const auto dial = host.node->poll_connect()) {
                connect(host, *dial);
                more = true;
            }
            std::array<std::byte, 1472> buffer{};
            while (const auto transmit = host.node->poll_transmit(now, buffer)) {
                more = true;
                const auto bytes = std::span(buffer).first(transmit->bytes);
                if (transmit->size_probe) host.probes.push_back(transmit->bytes);
                const auto to = static_cast<std::uint16_t>(transmit->path.value());
                if (!host.mute) air_.emplace(now + microseconds{200}, Packet{host.address, to, {bytes.begin(), bytes.end()}});
            }
        }
    }

    bool step_disk(Host& host) {
        if (host.disk == nullptr) return false;
        bool more = false;
        if (host.operation && host.operation_done <= now) {
            const journal::DeviceOp operation = *std::exchange(host.operation, std::nullopt);
            perform(operation, *host.disk);
            host.node->on_journal(now, operation.id, Status::ok, operation.buffer.size());
            more = true;
        }
        if (host.operation) return more;
        host.operation = host.node->poll_journal();
        host.operation_done = now + host.disk_delay;
        return more || host.operation.has_value();
    }

    // The address "nowhere" cannot be reached.
    void connect(Host& host, const Dial& dial) {
        const std::string address(reinterpret_cast<const char*>(dial.address.data()), dial.address.size());
        if (address == "nowhere") return host.node->on_path(now, {}, {.state = PathState::down, .dial = dial.id});
        host.node->on_path(now, PathId{static_cast<std::uint32_t>(std::stoi(address))}, {.state = PathState::up, .dial = dial.id});
    }

    std::map<std::uint16_t, std::unique_ptr<Host>> hosts_;
    std::multimap<Instant, Packet> air_;
    std::uint64_t instances_ = 77;
};

}  // namespace dunlin::test
