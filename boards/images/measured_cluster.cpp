#include "measured_cluster.hpp"

#include <cortex_m/board.hpp>

#include <dunlin/node/formatter.hpp>

#include <cstring>
#include <optional>

namespace measured {

using namespace dunlin;

std::array<Station, kStations> stations;
Instant now{seconds{1}};

namespace {

constexpr Limits kVoterLimits = limits::voter_min;
constexpr std::size_t kDeviceBytes = journal_device_bytes_min<kVoterLimits>();
constexpr std::array<std::string_view, kStations> kAddresses{"wire:0", "wire:1", "wire:2", "wire:3", "wire:4"};
// One of each pair dials the other.
constexpr std::array<std::string_view, 2> kSeeds{kAddresses[0], kAddresses[kPublisher]};

std::array<NodeMemory<kVoterLimits>, kVoters> voters;
std::array<NodeMemory<limits::micro>, kStations - kVoters> members;
std::array<std::array<std::byte, kDeviceBytes>, kVoters> devices;
std::array<std::byte, kVoterLimits.journal_buffer_bytes> format_buffer;  // not longer than what the node opens it with
alignas(8) std::array<std::byte, 1200> packet;
std::uint32_t timing_ticks = 0;  // of 256 calls of nothing

NodeId id_of(std::size_t station) { return NodeId{static_cast<std::uint16_t>(station + 1)}; }

std::size_t run(const Station& station, const journal::DeviceOp& op) {
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
    std::array<ledger::MemberRow, kVoters> rows{};
    for (std::size_t i = 0; i < kVoters; ++i) {
        rows[i] = ledger::voter_row(id_of(i), StorageId{0x1000 + i}, std::as_bytes(std::span(kAddresses[i])));
    }
    for (std::size_t i = 0; i < kVoters; ++i) {
        stations[i].device = devices[i];
        Counters counters;
        journal::Journal journal({format_buffer}, counters);
        FormatPlan plan;
        plan.node = id_of(i);
        plan.storage = StorageId{0x1000 + i};
        plan.stream = StreamId{0x2000 + i};
        plan.cluster = "board";
        plan.init = i == 0;
        plan.bootstrap.incarnation = ClusterIncarnation{0xb0a2d};
        plan.bootstrap.limits = kVoterLimits.ledger;
        plan.bootstrap.voters = rows;
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

void deliver(std::size_t from, std::size_t to, std::size_t bytes) {
    Station& station = stations[to];
    station.called = true;
    const PathId path{static_cast<std::uint32_t>(from + 1)};
    station.timed([&] { station.node->on_datagram(now, path, {}, std::span(packet).first(bytes)); });
}

void serve_journal(Station& station) {
    while (const auto op = station.timed([&] { return station.node->poll_journal(); })) {
        const std::size_t bytes = run(station, *op);
        station.timed([&] { station.node->on_journal(now, op->id, Status::ok, bytes); });
    }
}

void dial(Station& station) {
    while (const auto dial = station.timed([&] { return station.node->poll_connect(); })) {
        const std::string_view address(reinterpret_cast<const char*>(dial->address.data()), dial->address.size());
        for (std::size_t other = 0; other < kStations; ++other) {
            if (address != kAddresses[other]) continue;
            const PathId path{static_cast<std::uint32_t>(other + 1)};
            station.timed([&] { station.node->on_path(now, path, {PathState::up, dial->id}); });
        }
    }
}

}  // namespace

void require(bool condition, std::string_view what) {
    if (condition) return;
    board::print("FAILED: ");
    board::print(what);
    board::print("\n");
    board::finish(1);
}

std::uint32_t Station::take() {
    const std::uint32_t of_timing = timing_ticks * calls / 256;
    const std::uint32_t result = instruction_timer::instructions(ticks - of_timing);
    ticks = calls = 0;
    return result;
}

void start() {
    for (int i = 0; i < 256; ++i) stations[0].timed([] {});
    timing_ticks = stations[0].ticks;
    format_journals();
    for (std::size_t i = 0; i < kStations; ++i) {
        const bool voter = i < kVoters;
        Options options;
        options.id = id_of(i);
        options.cluster = "board";
        options.seeds = std::span(kSeeds).first(voter ? 1 : 2);
        options.instance = InstanceId{0x3000 + i};
        options.seed = 42 + i;
        options.journal_bytes = voter ? kDeviceBytes : 0;
        stations[i].node = voter ? &voters[i].emplace(options) : &members[i - kVoters].emplace(options);
        require(stations[i].node->start(now) == Status::ok, "a node starts");
    }
}

void transmit(std::size_t index) {
    Station& station = stations[index];
    while (const auto out = station.timed([&] { return station.node->poll_transmit(now, packet); })) {
        deliver(index, out->path.value() - 1, out->bytes);
    }
}

void take_events(std::size_t index) {
    Station& station = stations[index];
    while (const auto event = station.timed([&] { return station.node->poll_event(); })) {
        if (event->kind == EventKind::outcome && event->outcome == Outcome::acknowledged) ++station.outcomes;
        if (event->kind == EventKind::request_done && event->status == Status::ok) ++station.puts_done;
    }
}

void turn(std::size_t index) {
    Station& station = stations[index];
    station.called = false;
    if (station.wake <= now) station.timed([&] { station.node->on_timeout(now); });
    serve_journal(station);
    dial(station);
    take_events(index);
    transmit(index);
    station.wake = station.timed([&] { return station.node->next_deadline(); });
}

void settle() {
    constexpr int kRoundsMax = 1000;
    for (int round = 0; round < kRoundsMax; ++round) {
        bool idle = true;
        for (std::size_t i = 0; i < kStations; ++i) {
            if (!stations[i].called && stations[i].wake > now) continue;
            idle = false;
            turn(i);
        }
        if (idle) return;
    }
    require(false, "an instant ends");
}

void pass(Duration time) {
    const Instant end = now + time;
    while (now < end) {
        Instant next = end;
        for (const Station& station : stations) next = earlier(next, station.wake);
        now = next;
        settle();
    }
}

void forget_costs() {
    for (Station& station : stations) static_cast<void>(station.take());
}

}  // namespace measured
