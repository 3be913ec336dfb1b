#pragma once

#include <dunlin_sim/checkers/advert_checker.hpp>
#include <dunlin_sim/checkers/bank_checker.hpp>
#include <dunlin_sim/checkers/change_checker.hpp>
#include <dunlin_sim/checkers/commit_checker.hpp>
#include <dunlin_sim/checkers/configurations.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/election_checker.hpp>
#include <dunlin_sim/checkers/follower_checker.hpp>
#include <dunlin_sim/checkers/hung_disk_checker.hpp>
#include <dunlin_sim/checkers/promise_checker.hpp>
#include <dunlin_sim/checkers/read_checker.hpp>
#include <dunlin_sim/checkers/reference_ledger.hpp>
#include <dunlin_sim/checkers/session_checker.hpp>

#include <cstddef>
#include <vector>

namespace dunlin::sim {

// The checkers that judge not only what went wrong but what could still go wrong: the power could go now, another voter could
// campaign, another process could be granted the lease. They look into packets and disks. In a world where nothing ever fails
// there is nothing that they could foretell, so there they are left out.
class Audit final : public Observer {
  public:
    // `voters`: of the cluster at first, as processes of `world`, added by the time that it runs. Not `on`: nothing is checked.
    Audit(World& world, Verdict& verdict, const LedgerLimits& limits, const std::vector<std::size_t>& voters, bool on);
    Audit(const Audit&) = delete;
    Audit& operator=(const Audit&) = delete;

    [[nodiscard]] bool on() const { return on_; }
    [[nodiscard]] DurableStates& durable() { return durable_; }
    [[nodiscard]] const ReferenceLedger& reference() const { return reference_; }
    // Tell it what is asked for, each time.
    [[nodiscard]] Configurations& configurations() { return configurations_; }
    // A handler of a topic that this lease fences was run under this token.
    void handled_under(Instant at, std::size_t process, LeaseKey lease, Token token) {
        if (!on_) return;
        promises_.handled_under(at, process, lease, token);
        reads_.handled_under(at, process, lease, token);
    }
    // Whether this voter leads, and has committed an entry of its own term.
    [[nodiscard]] bool leads_with_entry(std::size_t process) const { return !on_ || commits_.leads_with_entry(process); }

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    bool on_;
    DurableStates durable_;
    ReferenceLedger reference_;
    Configurations configurations_;
    CommitChecker commits_;
    ChangeChecker changes_;
    PromiseChecker promises_;
    BankChecker banks_;
    ElectionChecker elections_;
    FollowerChecker followers_;
    HungDiskChecker hung_disks_;
    ReadChecker reads_;
    SessionChecker sessions_;
    AdvertChecker adverts_;
    std::vector<std::uint64_t> versions_;  // of the disks' states, by process, as last checked
};

}  // namespace dunlin::sim
