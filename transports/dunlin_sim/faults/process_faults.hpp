#pragma once

#include <dunlin_sim/faults/fault_schedule.hpp>
#include <dunlin_sim/workload/workload.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <optional>

namespace dunlin::sim {

// Faults of the group `process`: crashes, and processes that stand still or are slow. What crashed is started again.
class ProcessFaults {
  public:
    ProcessFaults(World& world, Workload& workload, FaultCounts& counts) : world_(world), workload_(workload), counts_(counts) {}
    ProcessFaults(const ProcessFaults&) = delete;
    ProcessFaults& operator=(const ProcessFaults&) = delete;

    void strike(const Fault& fault);
    // What is down is started, what stands still goes on, and nothing new happens.
    void heal();

  private:
    void count(FaultKind kind) { ++counts_[index_of(kind)]; }
    // False: it was down already.
    bool crash(std::size_t process, Duration down);
    void restart_later(std::size_t process, Duration down);
    [[nodiscard]] std::optional<std::size_t> leader();
    void crash_leader(Duration down);
    void contest_election(const Fault& fault);
    void hang_leader(const Fault& fault);
    void crash_next_handler(Duration down);
    void crash_after_start(std::size_t process, const Fault& fault);
    void pause(std::size_t process, Duration length);
    void shut_down(std::size_t process, Duration down);
    void slow_down(std::size_t process, const Fault& fault);

    World& world_;
    Workload& workload_;
    FaultCounts& counts_;
    bool healed_ = false;
};

}  // namespace dunlin::sim
