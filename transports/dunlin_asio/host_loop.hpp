#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/mailbox.hpp>
#include <dunlin/node/node.hpp>

#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/dialer.hpp>
#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/stop_signals.hpp>
#include <dunlin_asio/udp.hpp>
#include <dunlin_asio/wake.hpp>

#include <asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

namespace dunlin_asio {

struct HostLoopOptions {
    dunlin::Duration drain_limit = dunlin::seconds{10};  // how long a graceful stop may take
    bool stop_on_signals = true;                         // SIGTERM and SIGINT: shutdown(); the second: stop() (see StopSignals)
    // How long the loop looks for input before it sleeps. A datagram that comes meanwhile is not late by what waking the thread
    // takes (tens of microseconds); the price is a core that is never idle while messages come more often than this. 0: sleep at once.
    dunlin::Duration busy_poll = dunlin::Duration::zero();
};

// Ties one node to its socket, its journal file, the boot clock and signals, in the thread that calls run():
//
//     asio::io_context io(1);
//     dunlin_asio::Udp udp(io, {.bind = "0.0.0.0:7000"});
//     dunlin_asio::FileDevice journal(io, {.path = "node.journal"});
//     options.journal_bytes = journal.bytes();
//     dunlin::Node& node = memory.emplace(options);
//     dunlin_asio::HostLoop loop(io, node, udp, &journal);
//     loop.on_event([](dunlin::Instant now, const dunlin::Event& event) { ... });
//     loop.run();
//
// Each turn: at most 64 datagrams in, the deadline if it passed, journal, paths, events, at most 64 packets out; then sleep (or spin:
// HostLoopOptions::busy_poll) until the node's next deadline or the next input. Anything else of the application's (descriptors,
// BootTimers) may wait on the same io_context: its handlers run between turns and may call the node, whose output the turn that
// follows takes up.
// No allocation a datagram, an event or a journal operation.
class HostLoop {
  public:
    static constexpr std::size_t kPacketsPerTurn = 64;
    static constexpr std::size_t kEventsPerTurn = 1024;

    // `journal` is null exactly where Options::journal_bytes is 0. All must outlive the loop.
    HostLoop(asio::io_context& io, dunlin::Node& node, Udp& udp, FileDevice* journal, const HostLoopOptions& options = {});
    HostLoop(const HostLoop&) = delete;
    HostLoop& operator=(const HostLoop&) = delete;

    // Before run(). Both may call the node's bus and coordination calls. `now` is fresh at each call,
    // but that up to 16 outcomes in a row share one while the kernel's clock does not tick (1 to 10 ms).
    void on_event(std::function<void(dunlin::Instant now, const dunlin::Event&)> handler) { on_event_ = std::move(handler); }
    // Once a turn, before events are reported and packets leave: the place to publish what is waiting as room comes free.
    void on_turn(std::function<void(dunlin::Instant now)> hook) { on_turn_ = std::move(hook); }
    // Publishes what other threads post() to `mailbox`; they call wake() after post(). Every outcome is an event as usual.
    void serve(dunlin::Mailbox& mailbox) { mailbox_ = &mailbox; }

    enum class Ending : std::uint8_t {
        drained,      // shutdown() ran to its end
        drain_limit,  // shutdown() took longer than drain_limit
        stopped,      // stop()
        failed,       // the node did (Node::failure() says why): nothing more is promised
    };
    // Starts the node and runs until one of these. Throws HostError where the node refuses its options. Call once.
    Ending run();

    void shutdown();               // loop thread: a graceful stop
    void stop();                   // any thread, any signal handler: run() returns after the turn it is in
    void wake() { wake_.wake(); }  // any thread, any signal handler: a turn soon

    // The signal that asked for the graceful stop; 0: none did.
    [[nodiscard]] int stop_signal() const { return signals_ ? signals_->first() : 0; }

  private:
    void turn();
    void wait();
    [[nodiscard]] bool spin();
    [[nodiscard]] dunlin::Instant wake_at();
    void read_datagrams();
    void pass_time();
    void finish_journal_operation();
    void start_journal_operation();
    void connect();
    void report_events();
    void write_packets();
    void watch_signals();
    void path_down(dunlin::PathId path);
    [[nodiscard]] std::optional<Ending> ending() const;

    asio::io_context& io_;
    dunlin::Node& node_;
    Udp& udp_;
    FileDevice* journal_;
    dunlin::Mailbox* mailbox_ = nullptr;
    HostLoopOptions options_;
    std::function<void(dunlin::Instant, const dunlin::Event&)> on_event_;
    std::function<void(dunlin::Instant)> on_turn_;
    Dialer dialer_;
    BootTimer timer_;
    Wake wake_;
    std::optional<StopSignals> signals_;
    std::atomic<bool> stop_{false};
    bool draining_ = false;
    bool more_work_ = false;  // another turn without sleeping
    unsigned turns_since_poll_ = 0;
    dunlin::Instant wake_at_ = dunlin::kNever;  // as of the last turn
    dunlin::Instant drain_deadline_ = dunlin::kNever;
};

}  // namespace dunlin_asio
