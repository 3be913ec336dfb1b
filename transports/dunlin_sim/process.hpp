#pragma once

#include <dunlin/node/node_memory.hpp>
#include <dunlin_sim/application.hpp>
#include <dunlin_sim/disk.hpp>
#include <dunlin_sim/event_queue.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dunlin::sim {

// Memory for a node of any limits.
class NodeHolder {
  public:
    virtual ~NodeHolder() = default;
    virtual Node& emplace(const Options& options) = 0;
};
template <Limits L>
class NodeHolderOf final : public NodeHolder {
  public:
    Node& emplace(const Options& options) override { return memory_.emplace(options); }

  private:
    NodeMemory<L> memory_;
};
using MakeHolder = std::function<std::unique_ptr<NodeHolder>()>;
template <Limits L>
[[nodiscard]] MakeHolder holder_of() {
    return [] { return std::make_unique<NodeHolderOf<L>>(); };
}

// What a process is started with, each time.
struct ProcessSetup {
    Options options{};  // seeds, instance and seed are filled in by the world
    MakeHolder memory{};
    std::function<std::unique_ptr<Application>()> application{};
    std::size_t disk_bytes = 0;                  // 0: no journal
    std::vector<std::size_t> seeds{};            // processes to contact, by number
    Duration clock_offset{};                     // this node's clock at true time 0
    std::int64_t clock_rate_ppm = 0;             // runs fast (+) or slow (-) by so much
    Duration sync_time_min = microseconds{100};  // how long a sync of its disk takes
    Duration sync_time_max = microseconds{900};
};

// One simulated process: a node, its application, its disk and its clock. World drives it.
struct Process {
    explicit Process(ProcessSetup with, std::uint64_t disk_seed) : setup(std::move(with)), disk(setup.disk_bytes, disk_seed) {}

    [[nodiscard]] bool running() const { return node != nullptr; }
    // What this node's clock shows at a moment of true time, and the first moment at which it shows `local`. Good for a month
    // of true time at 1,000,000 ppm.
    [[nodiscard]] Instant local(Instant at) const { return reading(std::min(at, frozen_since) - stood); }
    [[nodiscard]] Instant true_time(Instant local_time) const;  // kNever: not while the clock stands still
    // What the clock shows when it has run for so long.
    [[nodiscard]] Instant reading(Instant ran) const {
        const std::int64_t us = ran.time_since_epoch().count();
        return Instant{setup.clock_offset +
                       Duration{us + us / 1'000'000 * setup.clock_rate_ppm + us % 1'000'000 * setup.clock_rate_ppm / 1'000'000}};
    }

    ProcessSetup setup;
    Disk disk;
    std::unique_ptr<NodeHolder> memory;
    std::unique_ptr<Application> application;
    Node* node = nullptr;
    std::vector<std::string> seed_addresses;
    std::vector<std::string_view> seed_views;
    journal::DeviceOp op{};              // under way while disk_busy
    std::vector<Occurrence> held{};      // what came while it was paused, oldest first
    Instant frozen_since = kNever;       // true time since which its clock stands still
    Duration stood{};                    // for how long it stood still before
    Instant application_wake = kNever;   // local time
    Instant timer_at = kNever;           // true time of the timer that counts; others in the queue are void
    Instant told_to_shut_down = kNever;  // true time
    Instant burst_since{};               // timers that fire without rest are a bug of the node: World asserts on it
    std::uint32_t burst = 0;
    Duration lag{};                          // what comes to it waits so long
    Duration sync_stall{};                   // on top of what a sync of its disk takes
    std::optional<Unsynced> dies_in_sync{};  // when its disk begins to sync, with this fate of what it should sync
    std::uint32_t life = 0;
    bool paused = false;
    bool disk_busy = false;
    bool votes = false;   // it was formatted as a voter
    bool doomed = false;  // dies at the end of what it does now
};

}  // namespace dunlin::sim
