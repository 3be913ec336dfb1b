#pragma once

#include <dunlin_sim/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace dunlin::sim {

// Watches what must hold of consensus and leases, on true time:
//   election safety     at most one leader a term
//   state equality      the same state hash at the same applied index, on every voter, for ever
//   monotone            a node's commit and applied index never go back in one life
//   lease exclusion     whenever a process's lease becomes or stays valid, nobody else's view of that lease is
//   token monotone      each grant of a lease has a higher token than the one before
//   nodes go on         no node stops by itself
class CoordinationChecker final : public Observer {
  public:
    CoordinationChecker(World& world, Verdict& verdict);

    // This process wants this lease under this handle; call when the application asked for it.
    void wants_lease(std::size_t process, const std::string& name, ledger::LeaseHandle handle);
    // Something is wrong with its disk, or it is not its own: it is right to stop.
    void may_stop(std::size_t process, bool may = true) { seen_of(process).may_stop = may; }
    // Some clock is beyond its bound: then leases exclude nobody, and tokens alone protect.
    void exclude_nothing() { excludes_ = false; }

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

    [[nodiscard]] std::uint64_t leaders() const { return leaders_.size(); }
    [[nodiscard]] std::uint64_t grants() const { return grants_; }

  private:
    struct Want {
        std::size_t lease;  // into leases_
        ledger::LeaseHandle handle;
        Instant valid_until{};  // as last seen
    };
    struct Lease {
        std::string name;
        std::uint64_t token = 0;  // highest granted
        std::size_t holder = 0;   // to which process
    };
    struct Seen {
        LogIndex commit{};
        LogIndex applied{};
        std::uint32_t progress = 0;  // of the counters that move when a commit does
        std::uint32_t steps = 0;
        bool may_stop = false;
        std::vector<Want> wants;
    };
    void on_lease_held(Instant at, std::size_t process, const Event& event);
    void check_replica(Instant at, std::size_t process, const Node& node, Seen& seen);
    void check_exclusion(Instant at, std::size_t process, const Want& mine);
    [[nodiscard]] std::size_t lease_named(const std::string& name);
    [[nodiscard]] Seen& seen_of(std::size_t process);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant election_, state_, monotone_, exclusion_, token_, going_;
    std::map<std::uint64_t, std::size_t> leaders_;             // by term
    std::unordered_map<std::uint64_t, std::uint64_t> hashes_;  // by applied index
    std::vector<Lease> leases_;
    std::vector<Seen> seen_;  // by process
    std::uint64_t grants_ = 0;
    bool excludes_ = true;
};

}  // namespace dunlin::sim
