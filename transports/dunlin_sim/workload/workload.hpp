#pragma once

#include <dunlin_sim/checkers/audience_checker.hpp>
#include <dunlin_sim/checkers/audit.hpp>
#include <dunlin_sim/checkers/backoff_checker.hpp>
#include <dunlin_sim/checkers/command_checker.hpp>
#include <dunlin_sim/checkers/credit_checker.hpp>
#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/departure_checker.hpp>
#include <dunlin_sim/checkers/effect_checker.hpp>
#include <dunlin_sim/checkers/expiry_checker.hpp>
#include <dunlin_sim/checkers/lane_checker.hpp>
#include <dunlin_sim/checkers/lease_checker.hpp>
#include <dunlin_sim/checkers/ledger_checker.hpp>
#include <dunlin_sim/checkers/resend_checker.hpp>
#include <dunlin_sim/checkers/settlement_checker.hpp>
#include <dunlin_sim/workload/workload_plan.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dunlin::sim {

struct WorkloadCounts {
    std::uint64_t refused = 0;                // publishes that found an outbox, a journal or a table full
    std::uint64_t unheard = 0;                // publishes that nobody listened to (yet)
    std::uint64_t echoes = 0;                 // publishes inside a handler
    std::uint64_t subscriptions_changed = 0;  // begun or ended at run time
    std::uint64_t stale_publishes = 0;        // under a token whose lease was lost
    std::uint64_t lease_requests = 0;
    std::uint64_t lease_releases = 0;
    std::uint64_t leases_lost = 0;
    std::uint64_t sessions_lost = 0;
    std::uint64_t events_lost = 0;
};

// The applications of one world, and what they have in common: checkers to report to. Make it before the processes that
// use its applications; call stop() before the faults end, and let the rest come in.
class Workload final : public Observer {
  public:
    Workload(World& world, Verdict& verdict, LeaseChecker& leases, Audit& audit, const WorkloadPlan& plan);

    [[nodiscard]] std::unique_ptr<Application> make(std::size_t process);
    // Publishes, puts and lease requests end; leases are released.
    void stop() { stopped_ = true; }
    // Before World::pause().
    void pausing(std::size_t process) { ledger_.paused(static_cast<std::uint32_t>(process)); }
    // It has a disk that is not its own, and from its next start on an application that does nothing; or no more.
    void set_idle(std::size_t process, bool idle) {
        if (idle_.size() <= process) idle_.resize(process + 1);
        idle_[process] = idle;
        departures_.leave_out(process, idle);
    }
    // Called once, inside the next handler that runs, with its process.
    void before_next_verdict(std::function<void(std::size_t)> call) { before_verdict_ = std::move(call); }
    // Called once, when a durable subscription has the next effect under a key, with its process.
    void after_next_effect(std::function<void(std::size_t)> call) { after_effect_ = std::move(call); }
    void effect_was_had(std::size_t process) {
        if (const auto call = std::exchange(after_effect_, nullptr)) call(process);
    }
    // Every publish has all its outcomes.
    [[nodiscard]] bool settled() const { return delivery_.open() == 0 && resends_.open() == 0; }
    // Everybody knows who listens to what.
    [[nodiscard]] bool introduced() { return audience_.right(); }
    void finish();

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

    // What lease clients ask and tell.
    [[nodiscard]] World& world() { return world_; }
    [[nodiscard]] const WorkloadPlan& plan() const { return plan_; }
    [[nodiscard]] bool stopped() const { return stopped_; }
    void wants_lease(std::size_t process, const std::string& name, ledger::LeaseHandle handle) {
        ++counts_.lease_requests;
        leases_.wants_lease(process, name, handle);
    }
    void released_lease() { ++counts_.lease_releases; }
    void lost_lease(bool publishes) {
        ++counts_.leases_lost;
        counts_.stale_publishes += publishes ? 1 : 0;
    }

    [[nodiscard]] ResendChecker& resends() { return resends_; }
    [[nodiscard]] EffectChecker& effects() { return effects_; }
    [[nodiscard]] DeliveryChecker& delivery() { return delivery_; }
    [[nodiscard]] LedgerChecker& ledger() { return ledger_; }
    [[nodiscard]] CommandChecker& commands() { return commands_; }
    [[nodiscard]] const WorkloadCounts& counts() const { return counts_; }
    // The counters of all nodes of all lives, summed; living ones as of the call.
    [[nodiscard]] std::array<std::uint64_t, kCounterCount> counters() const;

  private:
    friend class Worker;

    World& world_;
    LeaseChecker& leases_;
    Audit& audit_;
    WorkloadPlan plan_;
    DeliveryChecker delivery_;
    LedgerChecker ledger_;
    CommandChecker commands_;
    EffectChecker effects_;
    ResendChecker resends_;
    AudienceChecker audience_;
    SettlementChecker settlements_;
    ExpiryChecker expiries_;
    BackoffChecker backoffs_;
    CreditChecker credits_;
    LaneChecker lanes_;
    DepartureChecker departures_;
    WorkloadCounts counts_;
    std::array<std::uint64_t, kCounterCount> past_counters_{};
    std::function<void(std::size_t)> before_verdict_;
    std::function<void(std::size_t)> after_effect_;
    std::vector<bool> idle_;  // by process
    std::set<std::size_t> leaders_;
    std::uint64_t last_put_ = 0;
    bool stopped_ = false;
};

}  // namespace dunlin::sim
