#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin_sim/faults/fault_schedule.hpp>
#include <dunlin_sim/process.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin::sim {

// The clocks of a run's processes: no two are alike, and what the faults of the group `clock` add to that. All within 20 ppm and
// an hour, unless such a fault says otherwise.
class Clocks {
  public:
    Clocks(std::uint64_t seed, std::size_t processes, Duration time, std::span<const Fault> schedule);

    void set(ProcessSetup& setup);                                       // of the next process
    [[nodiscard]] const FaultCounts& counts() const { return counts_; }  // of those kinds, once all are set
    [[nodiscard]] bool beyond_bound() const { return beyond_; }

  private:
    void apply(const Fault& fault, ProcessSetup& setup);
    void count(const Fault& fault) { ++counts_[index_of(fault.name.kind)]; }

    Random random_;
    std::size_t processes_;
    Duration time_;
    std::vector<Fault> faults_;
    FaultCounts counts_{};
    std::size_t next_ = 0;  // process
    bool beyond_ = false;
};

}  // namespace dunlin::sim
