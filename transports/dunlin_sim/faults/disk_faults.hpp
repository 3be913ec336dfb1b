#pragma once

#include <dunlin_sim/checkers/amnesia_checker.hpp>
#include <dunlin_sim/checkers/coordination_checker.hpp>
#include <dunlin_sim/checkers/journal_checker.hpp>
#include <dunlin_sim/faults/fault_schedule.hpp>
#include <dunlin_sim/faults/membership_faults.hpp>
#include <dunlin_sim/workload/workload.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace dunlin::sim {

// Who has to know that the disk of a process is not what it was.
struct DiskWatchers {
    CoordinationChecker& coordination;
    JournalChecker& journal;
    AmnesiaChecker& amnesia;
};

// Faults of the group `disk`. A process that stops because of its disk is started again with a sound one at the end of the
// fault: with what the disk held before. Until then it may stop by itself, and must not do anything else that it could not
// do with its own disk. One process has one such fault at a time; processes without a disk have none.
class DiskFaults {
  public:
    DiskFaults(World& world, Workload& workload, const DiskWatchers& watchers, const MembershipFaults& members, FaultCounts& counts)
        : world_(world), workload_(workload), watchers_(watchers), members_(members), counts_(counts), incidents_(world.size()) {}
    DiskFaults(const DiskFaults&) = delete;
    DiskFaults& operator=(const DiskFaults&) = delete;

    void strike(const Fault& fault);
    void heal();  // ends them all

  private:
    // A disk that its process may stop for.
    struct Incident {
        FaultKind kind{};
        std::uint64_t number = 0;
        std::vector<std::byte> image;  // wiped: what was there
        std::optional<Disk::Rot> rot;
    };
    void count(FaultKind kind) { ++counts_[index_of(kind)]; }
    void await_checkpoint(std::size_t process, Duration down, Duration left);
    void crash_in_sync(std::size_t process, Unsynced fate, Duration down);
    void tear_next_effect(Duration down);
    void slow_syncs(std::size_t process, const Fault& fault);
    void rot_tail(std::size_t process, const Fault& fault);
    void begin(std::size_t process, const Fault& fault);
    void rot_middle(std::size_t process, Incident& incident, const Fault& fault);
    void wipe(std::size_t process, Incident& incident, const Fault& fault);
    void end(std::size_t process);
    void disk_is_foreign(std::size_t process, bool foreign);
    void hide_from_members(std::size_t process, bool hidden);
    void restart(std::size_t process) {
        if (!world_.running(process)) world_.restart(process);
    }

    World& world_;
    Workload& workload_;
    DiskWatchers watchers_;
    const MembershipFaults& members_;
    FaultCounts& counts_;
    std::vector<std::optional<Incident>> incidents_;  // by process
    std::uint64_t begun_ = 0;
    bool healed_ = false;
};

}  // namespace dunlin::sim
