#pragma once

#include <dunlin_sim/faults/bare_appends.hpp>
#include <dunlin_sim/faults/disk_faults.hpp>
#include <dunlin_sim/faults/fault_schedule.hpp>
#include <dunlin_sim/faults/membership_faults.hpp>
#include <dunlin_sim/faults/process_faults.hpp>
#include <dunlin_sim/workload/workload.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace dunlin::sim {

// Lets the faults of a schedule happen to a world, each at its time, until heal(). Make it after all processes were added.
// (What a clock does, and whether there is another cluster, is decided when a world is built: see Run.)
class Faults {
  public:
    Faults(World& world, Workload& workload, Audit& audit, const DiskWatchers& watchers, std::vector<Fault> schedule);
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    void start();
    // Every fault ends, those of the network too: what is down is started, what stands still goes on.
    void heal();
    // Who voted at first does so again.
    [[nodiscard]] bool members_restored() { return members_.restored(); }
    // How often each kind happened; of the network and the disks, what they say that it did.
    [[nodiscard]] FaultCounts counts() const;

  private:
    void strike(const Fault& fault);
    void set_network(const Fault& fault);
    void part(const Fault& fault);
    void shorten_paths(const Fault& fault);
    void narrow_path(const Fault& fault);
    void clog(const Fault& fault);

    World& world_;
    std::vector<Fault> schedule_;
    FaultCounts counts_{};
    ProcessFaults processes_;
    MembershipFaults members_;
    DiskFaults disks_;
    BareAppends bare_appends_;
    NetworkFaults base_;           // of the network, without them
    std::uint64_t partition_ = 0;  // number of the one that holds now
    bool healed_ = false;
};

}  // namespace dunlin::sim
