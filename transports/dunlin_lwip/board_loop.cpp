#include <dunlin_lwip/board_loop.hpp>

#include <dunlin_lwip/port.hpp>

#include <algorithm>
#include <string_view>

namespace dunlin_lwip {

BoardLoop::BoardLoop(dunlin::Node& node, Udp& udp, const BoardLoopOptions& options) : node_(node), udp_(udp), options_(options) {}

BoardLoop::Ending BoardLoop::run() {
    start_ = node_.start(port::now());
    if (start_ != dunlin::Status::ok) return Ending::failed;
    for (;;) {
        turn();
        if (const std::optional<Ending> end = ending()) return *end;
        if (!more_work_) port::sleep_until(wake_at(), &wake_);
    }
}

void BoardLoop::shutdown() {
    if (draining_) return;
    draining_ = true;
    const dunlin::Instant now = port::now();
    drain_deadline_ = dunlin::saturating_add(now, options_.drain_limit);
    node_.shutdown(now);
}

// The loop sleeps only after a turn that had nothing to hand out: what one output causes in the node (an event in which the
// application publishes, a packet that moves something on) is then never left lying.
void BoardLoop::turn() {
    more_work_ = blocked_ = false;
    wake_.store(false, std::memory_order_relaxed);
    read_datagrams();
    pass_time();
    if (on_turn_) application_deadline_ = on_turn_(port::now());
    report_events();
    connect();
    perform_journal_operation();
    write_packets();
}

void BoardLoop::read_datagrams() {
    // The clock is read for each datagram: what a handler did before may have taken a while.
    auto hand_over = [this](const Udp::Received& received) {
        if (received.evicted != dunlin::PathId{}) path_down(received.evicted);
        node_.on_datagram(port::now(), received.path, {}, received.bytes);
    };
    static_cast<void>(udp_.receive(dunlin::Callback<void(const Udp::Received&)>::of(hand_over)));
    if (udp_.has_input()) more_work_ = true;
}

void BoardLoop::pass_time() {
    const dunlin::Instant now = port::now();
    udp_.pass_time(now);
    if (node_.next_deadline() <= now) node_.on_timeout(now);
}

void BoardLoop::report_events() {
    for (std::size_t i = 0; i < kEventsPerTurn; ++i) {
        const std::optional<dunlin::Event> event = node_.poll_event();
        if (!event) return;
        more_work_ = true;
        if (on_event_) on_event_(port::now(), *event);
    }
}

void BoardLoop::connect() {
    while (const std::optional<dunlin::Dial> dial = node_.poll_connect()) {
        more_work_ = true;
        const std::string_view text(reinterpret_cast<const char*>(dial->address.data()), dial->address.size());
        const std::optional<Endpoint> endpoint = parse_endpoint(text);
        const PathTable::Found found = endpoint ? udp_.dial(*endpoint) : PathTable::Found{};
        const std::uint16_t id = dial->id;
        if (found.evicted != dunlin::PathId{}) path_down(found.evicted);
        const bool up = found.path != dunlin::PathId{};
        node_.on_path(port::now(), found.path, {.state = up ? dunlin::PathState::up : dunlin::PathState::down, .dial = id});
    }
}

// One a turn: on flash it may take as long as an erasure does.
void BoardLoop::perform_journal_operation() {
    const std::optional<dunlin::journal::DeviceOp> operation = node_.poll_journal();
    if (!operation) return;
    more_work_ = true;
    const dunlin::Status status = port::perform(*operation);
    node_.on_journal(port::now(), operation->id, status, status == dunlin::Status::ok ? operation->buffer.size() : 0);
}

void BoardLoop::write_packets() {
    for (std::size_t i = 0; i < kPacketsPerTurn; ++i) {
        const std::span<std::byte> buffer = udp_.next_buffer();
        blocked_ = buffer.empty();
        if (blocked_) return;
        const std::optional<dunlin::Transmit> packet = node_.poll_transmit(port::now(), buffer);
        if (!packet) return;
        more_work_ = true;
        if (!udp_.push(*packet)) path_down(packet->path);
    }
}

// Under back-pressure there is no interrupt to wait for, since port.hpp has none that tells of room: the loop asks again soon, and a
// packet that is due meanwhile is no reason not to sleep. So too where room has come since: whether a packet waits is not known.
dunlin::Instant BoardLoop::wake_at() {
    constexpr dunlin::Duration kBlockedPause = dunlin::milliseconds{1};
    if (blocked_ || udp_.next_buffer().empty()) return dunlin::saturating_add(port::now(), kBlockedPause);
    const dunlin::Instant others = dunlin::earlier(udp_.next_deadline(), dunlin::earlier(application_deadline_, drain_deadline_));
    return dunlin::earlier(node_.next_deadline(), others);
}

void BoardLoop::path_down(dunlin::PathId path) { node_.on_path(port::now(), path, {.state = dunlin::PathState::down}); }

std::optional<BoardLoop::Ending> BoardLoop::ending() const {
    if (stop_.load(std::memory_order_relaxed)) return Ending::stopped;
    // Not by Event::failed, which is dropped where the application let the event queue fill up.
    if (!draining_) return node_.failed() ? std::optional(Ending::failed) : std::nullopt;
    if (!more_work_ && udp_.all_sent() && node_.drained()) return Ending::drained;
    if (port::now() >= drain_deadline_) return Ending::drain_limit;
    return std::nullopt;
}

}  // namespace dunlin_lwip
