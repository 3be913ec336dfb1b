#pragma once

#include <dunlin_sim/workload.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace dunlin::sim {

// What goes wrong with processes and links while a world runs. `every`: mean pause between two of a kind; 0: none.
struct FaultPlan {
    Duration leader_crash_every{};   // whoever leads
    Duration crash_every{};          // anybody
    Duration handler_crash_every{};  // whose handler runs next, inside it
    Duration down_max = seconds{4};  // until it is started again; one in eight stays away for up to away_max, behind the log's ring
    Duration away_max = seconds{40};
    Duration pause_every{};
    Duration pause_max = seconds{3};
    Duration partition_every{};  // one process alone, a split, one direction between two, a bridge, or a ring
    Duration partition_max = seconds{4};
    Duration short_path_every{};  // long datagrams vanish, everywhere
    Duration clog_every{};        // one direction between two takes up to clog_delay_max longer
    Duration clog_delay_max = milliseconds{500};
    Duration slow_every{};  // a process handles everything up to lag_max later, or its disk syncs up to stall_max longer
    Duration lag_max = milliseconds{30};
    Duration stall_max = milliseconds{200};
    Duration slow_max = seconds{4};  // for so long, as clogs and short paths
};

struct FaultCounts {
    std::uint64_t leader_crashes = 0;
    std::uint64_t crashes = 0;  // others
    std::uint64_t handler_crashes = 0;
    std::uint64_t pauses = 0;
    std::uint64_t partitions = 0;
    std::uint64_t short_paths = 0;
    std::uint64_t clogs = 0;
    std::uint64_t slow_nodes = 0;
    std::uint64_t slow_disks = 0;
};

// Lets things go wrong, at times that its own seed decides, until heal().
class Faults {
  public:
    Faults(World& world, Workload& workload, const FaultPlan& plan, std::uint64_t seed);
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    void start();
    // Every fault ends, those of the network too: what is down is started, what stands still goes on.
    void heal();
    [[nodiscard]] const FaultCounts& counts() const { return counts_; }

  private:
    void repeat(Duration every, std::function<void()> fault);
    void crash_leader();
    void crash(std::size_t process);
    void restart_later(std::size_t process);
    void crash_next_handler();
    void pause_somebody();
    void part();
    void cut_both(std::size_t one, std::size_t other);
    void split(std::size_t last_left);
    void bridge(std::size_t middle);
    void ring();
    void shorten_paths();
    void clog();
    void slow_down();
    void end_later(Duration longest, std::function<void()> end);
    [[nodiscard]] std::size_t somebody() { return static_cast<std::size_t>(random_.below(world_.size())); }

    World& world_;
    Workload& workload_;
    FaultPlan plan_;
    Random random_;
    FaultCounts counts_;
    std::uint64_t partition_ = 0;  // number of the one that holds now
    bool healed_ = false;
};

}  // namespace dunlin::sim
