#pragma once

#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/lease_model.hpp>
#include <dunlin_sim/checkers/session_model.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/ledger/ledger.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace dunlin::sim {

// The ledger as the committed log makes it, apart from all replicas: what is agreed on, at the moment it is. It runs the
// replicas' code, so it is held against models of its rules.
//   a renewal renews what it was asked for   one that was collected before a slot was granted does not prolong that grant, and none is of
//                                            a slot that was free when it was collected
class ReferenceLedger {
  public:
    ReferenceLedger(Verdict& verdict, const LedgerLimits& limits);
    ReferenceLedger(const ReferenceLedger&) = delete;
    ReferenceLedger& operator=(const ReferenceLedger&) = delete;

    // The next committed entry. After a gap nothing more is known here.
    void apply(Instant at, LogIndex index, const DurableState::Entry& entry);
    // Nothing: it is not known. A row of token 0: nobody has that lease.
    [[nodiscard]] std::optional<ledger::LeaseRow> lease(std::string_view name) const;
    [[nodiscard]] std::uint32_t voter_rate_ppm() const { return ledger_.voter_rate_ppm(); }

  private:
    void check_renewals(Instant at, LogIndex index, const DurableState::Entry& entry);
    void remember_leases();
    void note_ends(LogIndex index);
    void check_asked(Instant at, LogIndex index, const ledger::RenewalsHead& head, std::span<const std::byte> bitmap);
    void check_rules(Instant at, LogIndex index, const DurableState::Entry& entry, const ledger::ApplyResult& result);
    void check_command(Instant at, LogIndex index, std::span<const std::byte> payload, const ledger::ApplyResult& result);

    Verdict& verdict_;
    Verdict::Invariant renewals_;
    std::vector<std::byte> image_;
    Counters counters_;
    ledger::Ledger ledger_;
    LeaseModel leases_;
    SessionModel sessions_;
    std::vector<ledger::LeaseRow> before_;  // each slot, before the entry
    std::vector<std::uint64_t> tokens_;     // in each slot
    std::vector<LogIndex> ended_;           // where the last grant of each slot ended
    std::uint64_t cluster_time_ = 0;        // of the entries so far
    bool known_ = true;
};

}  // namespace dunlin::sim
