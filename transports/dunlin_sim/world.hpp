#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin_sim/event_queue.hpp>
#include <dunlin_sim/misuse.hpp>
#include <dunlin_sim/network.hpp>
#include <dunlin_sim/process.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dunlin::sim {

// Watches everything with knowledge that no node has. Called on true time.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void on_event(Instant at, std::size_t process, const Node& node, const Event& event) {
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(node), static_cast<void>(event);
    }
    // A datagram as `process` sends it to `to`, before the network has done anything to it.
    virtual void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(to), static_cast<void>(bytes);
    }
    // A datagram of `from` as it reaches `process`; what that makes of it shows in its next on_step().
    virtual void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(from), static_cast<void>(bytes);
    }
    virtual void on_start(Instant at, std::size_t process) {  // its node is about to be made; its disk is as it will find it
        static_cast<void>(at), static_cast<void>(process);
    }
    // After every input to a node.
    virtual void on_step(Instant at, std::size_t process, const Node& node) {
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(node);
    }
    virtual void on_crash(Instant at, std::size_t process, const Node& node) {  // the node's last moment; unsynced writes are there
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(node);
    }
    // Told to shut down this long ago, the process ends by itself, because its node says that it has drained; on_crash() follows.
    virtual void on_drained(Instant at, std::size_t process, const Node& node, Duration took) {
        static_cast<void>(at), static_cast<void>(process), static_cast<void>(node), static_cast<void>(took);
    }
};

// A whole cluster in one thread, on virtual time, from one seed. The same seed and the same calls give the same run: hash()
// proves it. Each source of chance has a generator of its own, so that a change in one does not reshuffle the rest.
//
//     World world(seed);
//     world.add({...});  ...           processes, numbered from 0
//     world.start_all();
//     world.run_for(seconds{10});
//     world.crash(2);  world.restart(2);  world.network().isolate(0, true);
//
// Throws Misuse for calls that make no sense. An assertion that fails in a node says where and ends the test's process.
class World {
  public:
    // `processes_max`: how many will be added at most (memory of the network: one bit a pair).
    explicit World(std::uint64_t seed, std::size_t processes_max = 64);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::size_t add(ProcessSetup setup);
    // A process of somebody else that shares the network: size() does not count it, and observers hear nothing of it. After
    // all others. Everything here takes its number.
    std::size_t add_outsider(ProcessSetup setup);
    // Where a process is on the network.
    [[nodiscard]] static std::string address_of(std::size_t process) { return "sim:" + std::to_string(process); }
    // Formats the disks of these processes as the voters of one cluster, the first with `init`, the others with `join`;
    // call before they start. `limits`: of the ledger.
    void found_cluster(std::span<const std::size_t> voters, const LedgerLimits& limits, std::uint32_t voter_rate_ppm = 1000);
    // Formats the disk of a member (`join`).
    void format_member(std::size_t process);

    void start(std::size_t process);
    void start_all();
    void crash(std::size_t process);  // at once: memory is gone, the disk keeps what it must
    void crash(std::size_t process, Unsynced fate);
    void restart(std::size_t process) { start(process); }
    // As a host that gets a signal: the node is told, and the process ends once it has drained, after `limit` at the latest. What
    // it wrote is on its disk then, synced or not. end_shutdown(): if it is at that still, the limit is now.
    void shut_down(std::size_t process, Duration limit);
    void end_shutdown(std::size_t process);
    [[nodiscard]] bool shutting_down(std::size_t process) const { return running(process) && known(process).told_to_shut_down != kNever; }
    void wipe(std::size_t process);  // while it is down: its disk is blank
    // Dies inside what its node does now, so that nothing of it leaves or reaches the disk; for code that runs in a handler.
    void crash_here(std::size_t process) { live(process).doomed = true; }
    // Dies when it next syncs its disk, which then has this to do with what was not synced; for a process that runs.
    void crash_in_next_sync(std::size_t process, Unsynced fate) { live(process).dies_in_sync = fate; }
    // Whatever comes to the process is handled so much later; and each sync of its disk takes so much longer. 0: no more.
    void set_lag(std::size_t process, Duration lag) { known(process).lag = lag; }
    void set_sync_stall(std::size_t process, Duration stall) { known(process).sync_stall = stall; }
    // Its clock stands still, and goes on from there. A clock that stops in suspend is one of those that leases do not survive.
    void freeze_clock(std::size_t process);
    void thaw_clock(std::size_t process);
    // The process stands still, time does not. Of what is sent to it meanwhile its sockets hold kSocketDatagrams.
    void pause(std::size_t process);
    void resume(std::size_t process);
    static constexpr std::size_t kSocketDatagrams = 256;
    [[nodiscard]] bool running(std::size_t process) const { return known(process).running(); }
    [[nodiscard]] bool paused(std::size_t process) const { return known(process).paused; }

    // Runs until this much true time has passed, or forward to `condition`, checked after every step; false: it did not come.
    void run_for(Duration time);
    bool run_until(const std::function<bool()>& condition, Duration limit);
    // Calls `action` at true time `at`.
    void at(Instant at, std::function<void()> action);

    [[nodiscard]] Instant now() const { return now_; }  // true time
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Node& node(std::size_t process) { return *live(process).node; }
    [[nodiscard]] Process& process(std::size_t process) { return known(process); }
    [[nodiscard]] Application& application(std::size_t process) { return *live(process).application; }
    // This node's clock, now.
    [[nodiscard]] Instant local_now(std::size_t process) const { return known(process).local(now_); }
    [[nodiscard]] Network& network() { return network_; }
    [[nodiscard]] Random& workload() { return workload_; }  // for whoever drives this world
    void observe(Observer& observer) { observers_.push_back(&observer); }
    // Wakes the application at this time of its own clock, as Context::wake_at() does; for code that runs in a handler.
    void wake(std::size_t process, Instant local) {
        Instant& wake = live(process).application_wake;
        wake = std::min(wake, local);
    }
    // After the application was called from outside (a publish in a test), lets the node act on it.
    void touch(std::size_t process) {
        static_cast<void>(live(process));
        pump(process);
    }

    [[nodiscard]] std::uint64_t hash() const { return hash_; }  // of everything delivered so far
    [[nodiscard]] std::uint64_t events() const { return events_; }

  private:
    [[nodiscard]] bool observed(std::size_t process) const { return process < size_; }
    [[nodiscard]] Process& known(std::size_t process) const {
        if (process >= processes_.size()) refuse(process, "is not of this world");
        return *processes_[process];
    }
    [[nodiscard]] Process& live(std::size_t process) const {
        if (!known(process).running()) refuse(process, "does not run now: it has no node");
        return *processes_[process];
    }
    [[noreturn]] void refuse(std::size_t process, const std::string& why) const;
    void step();
    void happen(const Occurrence& occurrence);
    void pump(std::size_t process);
    void hold(const Occurrence& occurrence);
    [[nodiscard]] bool dies(std::size_t process);
    [[nodiscard]] bool leaves(std::size_t process);
    void end(std::size_t process, Unsynced fate);
    void drop_held(std::size_t process);
    [[nodiscard]] bool note_timer(Process& process, const Occurrence& occurrence);
    void connect(std::size_t process);
    [[nodiscard]] bool transmit(std::size_t process);
    void start_disk_operation(std::size_t process);
    void finish_disk_operation(std::size_t process);
    void report_events(std::size_t process);
    void set_timer(std::size_t process);
    void format(std::size_t process, const struct FormatRequest& request);
    void mix(std::uint64_t value);
    [[nodiscard]] Context context(std::size_t process);

    Random seeds_;
    EventQueue queue_;
    Network network_;
    Random disks_;
    Random processes_random_;
    Random workload_;
    std::size_t processes_max_;
    std::vector<std::unique_ptr<Process>> processes_;  // outsiders last
    std::size_t size_ = 0;                             // without outsiders
    std::vector<std::function<void()>> actions_;
    std::vector<std::uint32_t> free_actions_;  // whose time has come
    std::vector<Observer*> observers_;
    std::array<std::byte, 1500> packet_{};
    Instant now_{};
    std::uint64_t hash_ = 0xcbf29ce484222325U;
    std::uint64_t events_ = 0;
};

}  // namespace dunlin::sim
