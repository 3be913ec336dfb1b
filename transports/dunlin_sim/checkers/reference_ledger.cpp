#include <dunlin_sim/checkers/reference_ledger.hpp>

#include <dunlin/core/bytes.hpp>

#include <string>

namespace dunlin::sim {

ReferenceLedger::ReferenceLedger(Verdict& verdict, const LedgerLimits& limits)
    : verdict_(verdict),
      renewals_(verdict.expect("a renewal renews what it was asked for", Verdict::Occasion::rare)),
      image_(ledger::image_bytes(limits)),
      ledger_({image_, hashes_, limits}, counters_),
      before_(limits.leases) {}

void ReferenceLedger::apply(Instant at, LogIndex index, const DurableState::Entry& entry) {
    if (index != ledger_.applied().next()) known_ = false;
    if (!known_) return;
    const bool renews = entry.type == consensus::EntryType::renewals;
    if (renews) remember_leases();
    const ledger::ApplyResult result = ledger_.apply({index, entry.term, entry.time, entry.type, entry.payload});
    if (result.replica != Status::ok) {
        known_ = false;  // as every replica that meets this entry
        return;
    }
    if (renews) check_renewals(at, index, entry);
}

void ReferenceLedger::remember_leases() {
    for (std::size_t slot = 0; slot < before_.size(); ++slot) before_[slot] = ledger_.lease(static_cast<std::uint16_t>(slot));
}

void ReferenceLedger::check_renewals(Instant at, LogIndex index, const DurableState::Entry& entry) {
    ledger::RenewalsHead head{};
    std::span<const std::byte> payload = entry.payload;
    if (!take(payload, head)) return;
    for (std::size_t slot = 0; slot < before_.size(); ++slot) {
        const ledger::LeaseRow row = ledger_.lease(static_cast<std::uint16_t>(slot));
        if (row.token == 0 || row.token != before_[slot].token || row.deadline == before_[slot].deadline) continue;
        verdict_.check(renewals_, row.token <= head.as_of, at, [&] {
            return "entry " + std::to_string(index.value()) + ", whose renewals were collected as of entry " + std::to_string(head.as_of) +
                   ", prolongs the lease " + std::string(text_of(row.name)) + " that was granted under token " + std::to_string(row.token);
        });
    }
}

std::optional<ledger::LeaseRow> ReferenceLedger::lease(std::string_view name) const {
    if (!known_) return std::nullopt;
    const std::uint16_t slot = ledger_.find_lease(name);
    return slot == kNoSlot ? ledger::LeaseRow{} : ledger_.lease(slot);
}

}  // namespace dunlin::sim
