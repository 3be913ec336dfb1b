// Three voters in one image, joined by packets in memory on virtual time: they elect a leader, grant a lease, commit a
// key and exchange messages. What runs here is the same Node that runs on hosts, in the memory that a board has.
#include <cortex_m/board.hpp>

#include <dunlin/node/formatter.hpp>
#include <dunlin/node/node_memory.hpp>

#include <array>
#include <cstring>

namespace {

using namespace dunlin;

constexpr std::size_t kNodes = 3;
constexpr std::uint16_t kMessages = 100;
constexpr Limits kLimits = limits::voter_min;
constexpr std::size_t kDeviceBytes = journal_device_bytes_min<kLimits>();

// One node with its device and the names that others know it by.
struct Station {
    NodeMemory<kLimits> memory;
    std::array<std::byte, kDeviceBytes> device{};
    Node* node = nullptr;
    std::uint32_t received = 0;
    std::uint32_t acknowledged = 0;
    bool put_done = false;
    bool holds_lease = false;
};

std::array<Station, kNodes> stations;
std::array<std::byte, kLimits.journal_buffer_bytes> format_buffer;  // not longer than what the node opens it with
std::array<std::byte, 1200> packet;
Instant now{seconds{1}};

constexpr std::array<std::string_view, kNodes> kAddresses{"wire:0", "wire:1", "wire:2"};

NodeId id_of(std::size_t station) { return NodeId{static_cast<std::uint16_t>(station + 1)}; }

void require(bool condition, std::string_view what) {
    if (condition) return;
    board::print("FAILED: ");
    board::print(what);
    board::print("\n");
    board::finish(1);
}

std::size_t run(Station& station, const journal::DeviceOp& op) {
    if (op.kind == journal::DeviceOp::Kind::sync) return 0;
    std::byte* place = station.device.data() + op.offset;
    if (op.kind == journal::DeviceOp::Kind::read) {
        std::memcpy(op.buffer.data(), place, op.buffer.size());
    } else {
        std::memcpy(place, op.buffer.data(), op.buffer.size());
    }
    return op.buffer.size();
}

void format_journals() {
    std::array<ledger::MemberRow, kNodes> voters{};
    for (std::size_t i = 0; i < kNodes; ++i) {
        voters[i] = ledger::voter_row(id_of(i), StorageId{0x1000 + i}, std::as_bytes(std::span(kAddresses[i])));
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
        Counters counters;
        journal::Journal journal({format_buffer}, counters);
        FormatPlan plan;
        plan.node = id_of(i);
        plan.storage = StorageId{0x1000 + i};
        plan.stream = StreamId{0x2000 + i};
        plan.cluster = "board";
        plan.init = i == 0;
        plan.bootstrap.incarnation = ClusterIncarnation{0xb0a2d};
        plan.bootstrap.limits = kLimits.ledger;
        plan.bootstrap.voters = voters;
        Formatter formatter(journal, plan);
        require(formatter.begin(kDeviceBytes) == Status::ok, "a journal can be formatted");
        while (!formatter.done()) {
            const auto op = formatter.poll_op();
            require(op.has_value(), "formatting goes on");
            static_cast<void>(run(stations[i], *op));
            formatter.on_complete(op->id, Status::ok);
        }
        require(formatter.status() == Status::ok, "a journal was formatted");
    }
}

bus::Verdict count(void* station, const bus::Message&) {
    ++static_cast<Station*>(station)->received;
    return bus::Verdict::accept;
}

void take_events(Station& station) {
    while (const auto event = station.node->poll_event()) {
        if (event->kind == EventKind::outcome && event->outcome == Outcome::acknowledged) ++station.acknowledged;
        if (event->kind == EventKind::request_done && event->status == Status::ok) station.put_done = true;
        if (event->kind == EventKind::lease_held) station.holds_lease = true;
    }
}

void serve(std::size_t index) {
    Station& station = stations[index];
    Node& node = *station.node;
    if (node.next_deadline() <= now) node.on_timeout(now);
    while (const auto op = node.poll_journal()) {
        const std::size_t bytes = run(station, *op);
        node.on_journal(now, op->id, Status::ok, bytes);
    }
    while (const auto dial = node.poll_connect()) {
        const std::string_view address(reinterpret_cast<const char*>(dial->address.data()), dial->address.size());
        for (std::size_t other = 0; other < kNodes; ++other) {
            if (address == kAddresses[other]) node.on_path(now, PathId{static_cast<std::uint32_t>(other + 1)}, {PathState::up, dial->id});
        }
    }
    take_events(station);
    while (const auto out = node.poll_transmit(now, packet)) {
        stations[out->path.value() - 1].node->on_datagram(now, PathId{static_cast<std::uint32_t>(index + 1)}, {},
                                                          std::span(packet).first(out->bytes));
    }
}

template <class Condition>
void run_until(Condition condition, std::string_view what) {
    const Instant limit = now + seconds{20};
    while (!condition()) {
        require(now < limit, what);
        for (std::size_t i = 0; i < kNodes; ++i) serve(i);
        now += milliseconds{1};
    }
    board::print(what);
    board::print("\n");
}

std::size_t leader() {
    for (std::size_t i = 0; i < kNodes; ++i) {
        if (stations[i].node->status(now).role == consensus::Role::leader) return i;
    }
    return kNodes;
}

void start_nodes() {
    for (std::size_t i = 0; i < kNodes; ++i) {
        Options options;
        options.id = id_of(i);
        options.cluster = "board";
        options.seeds = std::span(kAddresses).first(1);
        options.instance = InstanceId{0x3000 + i};
        options.seed = 42 + i;
        options.journal_bytes = kDeviceBytes;
        stations[i].node = &stations[i].memory.emplace(options);
        require(stations[i].node->start(now) == Status::ok, "a node starts");
    }
}

}  // namespace

int main() {
    format_journals();
    start_nodes();
    run_until([] { return leader() < kNodes; }, "a leader is elected");

    Station& holder = stations[1];
    require(holder.node->acquire_lease(now, "valve", seconds{5}).ok(), "a lease can be asked for");
    run_until([&holder] { return holder.holds_lease; }, "a lease is granted");

    require(holder.node->put(now, "mode", std::as_bytes(std::span("auto", 4))).ok(), "a key can be put");
    run_until([&holder] { return holder.put_done; }, "a key is committed");

    Station& listener = stations[2];
    require(listener.node->subscribe("valve/+", {count, &listener}).ok(), "a subscription is made");
    Station& publisher = stations[0];
    run_until([&publisher] { return publisher.node->subscriber_count("valve/open") == 1; }, "a subscription is known");
    std::uint16_t published = 0;
    run_until(
        [&publisher, &published] {
            bus::PublishOptions options;
            options.topic = "valve/open";
            options.payload = std::as_bytes(std::span(&published, 1));
            while (published < kMessages && publisher.node->publish(now, options).ok()) ++published;
            return publisher.acknowledged == kMessages;
        },
        "every message is acknowledged");
    require(listener.received == kMessages, "every message was handled once");
    board::print(std::uint64_t{sizeof(NodeMemory<kLimits>)});
    board::print(" bytes a node\n");
    board::print_stack_used();
    return 0;
}
