#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/node.hpp>

#include <dunlin_lwip/udp.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace dunlin_lwip {

struct BoardLoopOptions {
    dunlin::Duration drain_limit = dunlin::seconds{10};  // how long a graceful stop may take
};

// Ties one node to its UDP port and to its board: clock, storage and sleep are those of the port (port.hpp).
//
//     dunlin_lwip::Udp udp;
//     std::string_view reason;
//     if (udp.open({.address = "10.9.0.13:7000"}, reason) != Status::ok) ...
//     options.journal_bytes = dunlin_lwip::port::storage().bytes;  // and journal_geometry; or none
//     dunlin::Node& node = memory.emplace(options);
//     dunlin_lwip::BoardLoop loop(node, udp);
//     loop.on_event(Callback<void(Instant, const Event&)>::of(handler));
//     loop.run();
//
// Each turn: at most 16 frames in, the deadline if it passed, the application's own work, events, paths, a journal operation, at most 16
// packets out; then sleep until the earliest deadline of the node, of lwIP and of the application, or the next frame. The core sleeps in
// between (port::sleep_until), with no tick. No allocation.
class BoardLoop {
  public:
    static constexpr std::size_t kPacketsPerTurn = 16;
    static constexpr std::size_t kEventsPerTurn = 64;

    // All must outlive the loop. `udp` is open.
    BoardLoop(dunlin::Node& node, Udp& udp, const BoardLoopOptions& options = {});
    BoardLoop(const BoardLoop&) = delete;
    BoardLoop& operator=(const BoardLoop&) = delete;

    // Before run(). Both may call the node's bus and coordination calls.
    void on_event(dunlin::Callback<void(dunlin::Instant now, const dunlin::Event&)> handler) { on_event_ = handler; }
    // Once a turn, before events are reported and packets leave: the place for the application's own work, such as Node::drain() of a
    // mailbox. Returns when it wants to be called at the latest (kNever: with the next turn, whenever that is).
    void on_turn(dunlin::Callback<dunlin::Instant(dunlin::Instant now)> hook) { on_turn_ = hook; }

    enum class Ending : std::uint8_t {
        drained,      // shutdown() ran to its end
        drain_limit,  // shutdown() took longer than drain_limit
        stopped,      // stop()
        failed,       // the node did, or refused its options: failure() says why; nothing more is promised
    };
    // Starts the node and runs until one of these. Call once.
    Ending run();
    // Why run() ended with `failed`; ok otherwise.
    dunlin::Status failure() const { return start_ != dunlin::Status::ok ? start_ : node_.failure(); }

    void shutdown();  // a graceful stop
    // An interrupt may call these two. A turn soon, for what it has put into a mailbox or wants of on_turn():
    void wake() { wake_.store(true, std::memory_order_relaxed); }
    // run() returns after the turn that follows:
    void stop() {
        stop_.store(true, std::memory_order_relaxed);
        wake();
    }

  private:
    void turn();
    void read_datagrams();
    void pass_time();
    void report_events();
    void connect();
    void perform_journal_operation();
    void write_packets();
    void path_down(dunlin::PathId path);
    [[nodiscard]] dunlin::Instant wake_at();
    [[nodiscard]] std::optional<Ending> ending() const;

    dunlin::Node& node_;
    Udp& udp_;
    BoardLoopOptions options_;
    dunlin::Callback<void(dunlin::Instant, const dunlin::Event&)> on_event_;
    dunlin::Callback<dunlin::Instant(dunlin::Instant)> on_turn_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> wake_{false};  // a turn is asked for
    dunlin::Status start_ = dunlin::Status::ok;
    bool draining_ = false;
    bool more_work_ = false;  // another turn without sleeping
    bool blocked_ = false;    // there was no room for a packet, so that none was asked for
    dunlin::Instant application_deadline_ = dunlin::kNever;
    dunlin::Instant drain_deadline_ = dunlin::kNever;
};

}  // namespace dunlin_lwip
