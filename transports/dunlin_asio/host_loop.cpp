#include <dunlin_asio/host_loop.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/status.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/host_error.hpp>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <string>
#include <string_view>

namespace dunlin_asio {

HostLoop::HostLoop(asio::io_context& io, dunlin::Node& node, Udp& udp, FileDevice* journal, const HostLoopOptions& options)
    : io_(io),
      node_(node),
      udp_(udp),
      journal_(journal),
      options_(options),
      dialer_(io, udp.local_endpoint().protocol()),
      timer_(io),
      wake_(io) {
    if (options.stop_on_signals) signals_.emplace(io);
}

HostLoop::Ending HostLoop::run() {
    const dunlin::Status status = node_.start(boot_now());
    if (status != dunlin::Status::ok) throw HostError("the node cannot start: " + std::string(dunlin::to_string(status)) + ".");
    const auto guard = asio::make_work_guard(io_);
    more_work_ = true;
    for (;;) {
        wait();
        turn();
        if (const std::optional<Ending> end = ending()) return *end;
    }
}

// Where the last turn left nothing to do, waits for something. Where there is work, the socket is looked into by each turn itself, and
// what else ASIO watches comes up every few turns: to ask for it costs more than a small turn does.
void HostLoop::wait() {
    constexpr unsigned kTurnsPerPoll = 4;
    if (more_work_) {
        if (++turns_since_poll_ < kTurnsPerPoll) return;
        turns_since_poll_ = 0;
        io_.poll();
        return;
    }
    turns_since_poll_ = 0;
    if (spin()) return;
    udp_.wait_for_input();
    timer_.set_at_latest(wake_at_);
    io_.run_one();  // others that are ready too run before the loop sleeps again
}

// Looks for input for at most busy_poll; true where there is reason for a turn.
bool HostLoop::spin() {
    if (options_.busy_poll == dunlin::Duration::zero()) return false;
    constexpr unsigned kLooksPerPoll = 16;  // the rest of what ASIO watches may wait a little longer
    const dunlin::Instant end = dunlin::saturating_add(boot_now(), options_.busy_poll);
    for (unsigned looks = 1;; ++looks) {
        if (udp_.look()) return true;
        if (looks % kLooksPerPoll == 0 && io_.poll() > 0) return true;
        const dunlin::Instant now = boot_now();
        if (now >= wake_at_) return true;
        if (now >= end) return false;
    }
}

void HostLoop::shutdown() {
    if (draining_) return;
    draining_ = true;
    const dunlin::Instant now = boot_now();
    drain_deadline_ = dunlin::saturating_add(now, options_.drain_limit);
    node_.shutdown(now);
}

void HostLoop::stop() {
    stop_.store(true, std::memory_order_relaxed);
    wake_.wake();
}

// The loop sleeps only after a turn that had nothing to hand out: what one output causes in the node (an event in which the
// application publishes, a packet that moves something on) is then never left lying.
void HostLoop::turn() {
    more_work_ = false;
    watch_signals();
    read_datagrams();
    pass_time();
    finish_journal_operation();
    if (mailbox_ != nullptr) static_cast<void>(node_.drain(boot_now(), *mailbox_));  // what has no room yet waits for a later turn
    if (on_turn_) on_turn_(boot_now());
    report_events();
    connect();
    start_journal_operation();
    write_packets();
    if (!more_work_) wake_at_ = std::min(wake_at(), drain_deadline_);
}

// A deadline that stays in the past after a turn is that of a packet which the socket has no room for: the socket wakes the
// loop, and the timer only looks again now and then.
dunlin::Instant HostLoop::wake_at() {
    constexpr dunlin::Duration kBlockedPause = dunlin::milliseconds{10};
    const dunlin::Instant deadline = node_.next_deadline();
    if (!udp_.next_buffer().empty()) return deadline;
    return std::max(deadline, dunlin::saturating_add(boot_now(), kBlockedPause));
}

void HostLoop::read_datagrams() {
    // The clock is read for each datagram: handlers of a process that was stopped in the middle must not see the old time.
    auto hand_over = [this](const Udp::Received& received) {
        if (received.evicted != dunlin::PathId{}) path_down(received.evicted);
        node_.on_datagram(boot_now(), received.path, {}, received.bytes);
    };
    udp_.receive_now(dunlin::Callback<void(const Udp::Received&)>::of(hand_over));
    if (udp_.has_input()) more_work_ = true;
}

// What turns in a row bring nearer is seen by one of four of them, since to ask the node takes a look at each of its peers.
void HostLoop::pass_time() {
    const dunlin::Instant now = boot_now();
    if (turns_since_poll_ != 0 && now < wake_at_) return;
    if (node_.next_deadline() <= now) node_.on_timeout(now);
}

void HostLoop::finish_journal_operation() {
    if (journal_ == nullptr) return;
    const std::optional<FileDevice::Completion> done = journal_->take_completion();
    if (done) node_.on_journal(boot_now(), done->id, done->status, done->bytes);
}

void HostLoop::start_journal_operation() {
    if (journal_ == nullptr || journal_->busy()) return;
    if (const std::optional<dunlin::journal::DeviceOp> operation = node_.poll_journal()) {
        journal_->start(*operation);
        more_work_ = true;
    }
}

void HostLoop::connect() {
    while (const std::optional<dunlin::Dial> dial = node_.poll_connect()) {
        more_work_ = true;
        const std::string_view address(reinterpret_cast<const char*>(dial->address.data()), dial->address.size());
        dialer_.look_up(dial->id, address);
    }
    while (const std::optional<Dialer::Answer> answer = dialer_.take()) {
        more_work_ = true;
        const PathTable::Found found = answer->endpoint ? udp_.dial(*answer->endpoint) : PathTable::Found{};
        if (found.evicted != dunlin::PathId{}) path_down(found.evicted);
        const bool up = found.path != dunlin::PathId{};
        node_.on_path(boot_now(), found.path, {.state = up ? dunlin::PathState::up : dunlin::PathState::down, .dial = answer->dial});
    }
}

void HostLoop::report_events() {
    constexpr unsigned kOutcomesPerClock = 16;  // about as many share a moment as messages in a packet do
    unsigned outcomes = 0;
    dunlin::Instant now{};
    std::uint64_t read_at = 0;  // clock_tick() of `now`
    for (std::size_t i = 0; i < kEventsPerTurn; ++i) {
        const std::optional<dunlin::Event> event = node_.poll_event();
        if (!event) return;
        more_work_ = true;
        if (!on_event_) continue;
        outcomes = event->kind == dunlin::EventKind::outcome ? outcomes + 1 : 0;
        const std::uint64_t tick = clock_tick();
        if (outcomes == 0 || outcomes % kOutcomesPerClock == 1 || tick != read_at) now = boot_now();
        read_at = tick;
        on_event_(now, *event);
    }
}

void HostLoop::write_packets() {
    udp_.flush();
    for (std::size_t i = 0; i < kPacketsPerTurn; ++i) {
        const std::span<std::byte> buffer = udp_.next_buffer();
        if (buffer.empty()) return;  // back-pressure: the socket wakes the loop
        const std::optional<dunlin::Transmit> packet = node_.poll_transmit(boot_now(), buffer);
        if (!packet) break;
        more_work_ = true;
        if (!udp_.push(*packet)) path_down(packet->path);
    }
    udp_.flush();
}

void HostLoop::watch_signals() {
    if (!signals_ || signals_->count() == 0) return;
    shutdown();
    if (signals_->count() > 1) stop_.store(true, std::memory_order_relaxed);
}

void HostLoop::path_down(dunlin::PathId path) { node_.on_path(boot_now(), path, {.state = dunlin::PathState::down}); }

std::optional<HostLoop::Ending> HostLoop::ending() const {
    if (stop_.load(std::memory_order_relaxed)) return Ending::stopped;
    // Not by Event::failed, which is dropped where the application let the event queue fill up.
    if (!draining_) return node_.failed() ? std::optional(Ending::failed) : std::nullopt;
    const bool quiet = !more_work_ && udp_.all_sent() && (journal_ == nullptr || !journal_->busy());
    if (quiet && node_.drained()) return Ending::drained;
    if (boot_now() >= drain_deadline_) return Ending::drain_limit;
    return std::nullopt;
}

}  // namespace dunlin_asio
