// A voter as firmware links it: one node of the smallest voting preset, every call of its interface in reach. It founds a cluster of one,
// becomes its leader, stores and reads a key and holds a lease. Its journal is in memory, where the board has room for it: then its text is
// the bill for the whole runtime, and nothing else. Otherwise it is on the board's storage.
#include <cortex_m/board.hpp>
#include <cortex_m/fits.hpp>

#include <dunlin/node/formatter.hpp>
#include <dunlin/node/node_memory.hpp>
#include <dunlin_lwip/port.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace {

using namespace dunlin;
namespace port = dunlin_lwip::port;

NodeMemory<limits::voter_min> memory;
std::array<std::byte, 1200> packet;
constexpr std::size_t kJournalBytes = journal_device_bytes_min<limits::voter_min>();
constexpr bool kInMemory = sizeof memory + sizeof packet + kJournalBytes + board::kStackBytes <= board::kRamBytes;
std::array<std::byte, kInMemory ? kJournalBytes : 0> journal_memory;
static_assert(board::fits<limits::voter_min, sizeof packet + sizeof journal_memory>());
alignas(8) std::array<std::byte, 512> format_buffer;  // not longer than what the node opens it with

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

port::Storage storage() {
    if constexpr (kInMemory) return {.bytes = kJournalBytes};
    return port::storage();
}

Status perform(const journal::DeviceOp& op) {
    if constexpr (!kInMemory) return port::perform(op);
    const std::span<std::byte> place = std::span(journal_memory).subspan(static_cast<std::size_t>(op.offset), op.buffer.size());
    if (op.kind == journal::DeviceOp::Kind::read) std::ranges::copy(place, op.buffer.begin());
    if (op.kind == journal::DeviceOp::Kind::write) std::ranges::copy(op.buffer, place.begin());
    return Status::ok;
}

Status found_cluster(NodeId node) {
    Counters counters;
    const port::Storage device = storage();
    journal::Journal journal({.buffer = format_buffer}, counters, device.geometry);
    const std::array voters{ledger::voter_row(node, StorageId{11}, bytes_of("self"))};
    FormatPlan plan;
    plan.node = node;
    plan.storage = StorageId{11};
    plan.stream = StreamId{12};
    plan.cluster = "bench";
    plan.init = true;
    plan.bootstrap.incarnation = ClusterIncarnation{13};
    plan.bootstrap.limits = limits::voter_min.ledger;
    plan.bootstrap.voters = voters;
    Formatter formatter(journal, plan);
    Status status = formatter.begin(device.bytes);
    while (status == Status::ok && !formatter.done()) {
        const auto op = formatter.poll_op();
        if (!op) return Status::device_error;
        const Status done = perform(*op);
        formatter.on_complete(op->id, done);
    }
    return status == Status::ok ? formatter.status() : status;
}

bus::Verdict on_message(void*, const bus::Message& message) {
    return message.payload.empty() ? bus::Verdict::pending : bus::Verdict::accept;
}

// What the application waits for, one after the other.
struct Story {
    RequestId request{};
    bool stored = false;
    bool read = false;
    bool held = false;
};

void on_event(Node& node, Instant now, const Event& event, Story& story) {
    if (event.kind == EventKind::lease_held) story.held = true;
    if (event.kind != EventKind::request_done || event.request != story.request) return;
    if (!story.stored) {
        story.stored = event.status == Status::ok;
        story.request = node.get(now, "mode").value();
    } else {
        story.read = event.status == Status::ok && std::ranges::equal(node.value_of(event.request), bytes_of("auto"));
    }
}

void serve(Node& node, Instant now, Story& story) {
    if (now >= node.next_deadline()) node.on_timeout(now);
    while (const auto op = node.poll_journal()) {
        const Status done = perform(*op);
        node.on_journal(now, op->id, done, op->buffer.size());
    }
    while (const auto dial = node.poll_connect()) node.on_path(now, PathId{1}, {.state = PathState::down, .dial = dial->id});
    while (const auto event = node.poll_event()) on_event(node, now, *event, story);
    while (const auto out = node.poll_transmit(now, packet)) node.on_datagram(now, out->path, {}, std::span(packet).first(out->bytes));
}

bool run(Node& node) {
    Instant now{seconds{1}};
    Story story;
    if (node.start(now) != Status::ok) return false;
    const Instant end = now + seconds{20};
    while (now < end && node.status(now).role != consensus::Role::leader) {
        serve(node, now, story);
        now += milliseconds{1};
    }
    const auto subscription = node.subscribe("valve/+", {on_message, nullptr});
    const auto lease = node.acquire_lease(now, "valve", seconds{2});
    const auto request = node.put(now, "mode", bytes_of("auto"));
    if (!subscription.ok() || !lease.ok() || !request.ok()) return false;
    story.request = request.value();
    while (now < end && !(story.stored && story.read && story.held)) {
        serve(node, now, story);
        now += milliseconds{1};
    }
    const bool valid = node.lease(lease.value()).valid_for(now, milliseconds{100});
    const Status nobody = node.publish(now, {.topic = "valve/open", .payload = bytes_of("1")}).status();
    const Status gone = node.complete(now, {}, bus::Verdict::accept);
    if (nobody != Status::no_subscriber || gone != Status::not_found || node.unsubscribe(subscription.value()) != Status::ok) return false;
    node.release_lease(now, lease.value());
    node.shutdown(now);
    while (now < end && !node.drained()) {
        serve(node, now, story);
        now += milliseconds{1};
    }
    return story.stored && story.read && valid && node.drained();
}

}  // namespace

int main() {
    constexpr NodeId kSelf{1};
    if (found_cluster(kSelf) != Status::ok) return 1;
    Options options;
    options.id = kSelf;
    options.cluster = "bench";
    options.instance = InstanceId{21};
    options.seed = 22;
    options.journal_bytes = storage().bytes;
    options.journal_geometry = storage().geometry;
    const bool good = run(memory.emplace(options));
    board::print(good ? "one voter: led, stored, read, held a lease, left\n" : "one voter: failed\n");
    board::print("RAM of the node: ");
    board::print(std::uint64_t{sizeof memory});
    board::print(" bytes\n");
    board::print_stack_used();
    return good ? 0 : 2;
}
