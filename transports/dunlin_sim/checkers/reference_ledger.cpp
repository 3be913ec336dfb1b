#include <dunlin_sim/checkers/reference_ledger.hpp>

#include <dunlin/core/bytes.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

ReferenceLedger::ReferenceLedger(Verdict& verdict, const LedgerLimits& limits)
    : verdict_(verdict),
      renewals_(verdict.expect("a renewal renews what it was asked for", Verdict::Occasion::rare)),
      image_(ledger::image_bytes(limits)),
      ledger_({image_, limits}, counters_),
      leases_(verdict, limits),
      sessions_(verdict, limits),
      before_(limits.leases),
      tokens_(limits.leases),
      ended_(limits.leases) {}

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
    note_ends(index);
    check_rules(at, index, entry, result);
}

void ReferenceLedger::check_rules(Instant at, LogIndex index, const DurableState::Entry& entry, const ledger::ApplyResult& result) {
    cluster_time_ = std::max(cluster_time_, entry.time.value());
    leases_.begin(at, index, cluster_time_);
    if (entry.type == consensus::EntryType::renewals) leases_.renewed(entry.payload);
    if (entry.type == consensus::EntryType::command) check_command(at, index, entry.payload, result);
    ledger::MembersEntry change{};
    if (entry.type == consensus::EntryType::members && decode(entry.payload, change) == Status::ok)
        sessions_.members_changed(index, change.head, result.command);
    leases_.end(ledger_);
}

// What is malformed was refused, and changes nothing.
void ReferenceLedger::check_command(Instant at, LogIndex index, std::span<const std::byte> payload, const ledger::ApplyResult& result) {
    ledger::CommandHead head{};
    if (!take(payload, head) || result.command.status == Status::invalid_argument) return;
    const auto type = static_cast<ledger::CommandType>(head.type);
    ledger::OpenSessionCommand opening{};
    const bool opens = type == ledger::CommandType::open_session && decode(payload, opening);
    if (!sessions_.applied(at, index, head, opens ? &opening : nullptr, result)) return;
    ledger::AcquireCommand acquire{};
    ledger::ReleaseCommand release{};
    if (type == ledger::CommandType::acquire && decode(payload, acquire)) leases_.acquired(head, acquire, result.command);
    if (type == ledger::CommandType::release && decode(payload, release)) leases_.released(head, release, result.command);
}

void ReferenceLedger::remember_leases() {
    for (std::size_t slot = 0; slot < before_.size(); ++slot) before_[slot] = ledger_.lease(static_cast<std::uint16_t>(slot));
}

void ReferenceLedger::check_renewals(Instant at, LogIndex index, const DurableState::Entry& entry) {
    ledger::RenewalsHead head{};
    std::span<const std::byte> payload = entry.payload;
    if (!take(payload, head)) return;
    check_asked(at, index, head, payload);
    for (std::size_t slot = 0; slot < before_.size(); ++slot) {
        const ledger::LeaseRow row = ledger_.lease(static_cast<std::uint16_t>(slot));
        if (row.token == 0 || row.token != before_[slot].token || row.deadline == before_[slot].deadline) continue;
        verdict_.check(renewals_, row.token <= head.as_of, at, [&] {
            return "entry " + std::to_string(index.value()) + ", whose renewals were collected as of entry " + std::to_string(head.as_of) +
                   ", prolongs the lease " + std::string(text_of(row.name)) + " that was granted under token " + std::to_string(row.token);
        });
    }
}

// Whoever collected them saw each slot held: by whom it still is, or by one whose grant has ended since.
void ReferenceLedger::check_asked(Instant at, LogIndex index, const ledger::RenewalsHead& head, std::span<const std::byte> bitmap) {
    for (std::size_t slot = 0; slot < std::min(before_.size(), bitmap.size() * 8); ++slot) {
        if ((std::to_integer<unsigned>(bitmap[slot / 8]) >> slot % 8 & 1U) == 0) continue;
        const bool held = before_[slot].token != 0 && before_[slot].token <= head.as_of;
        verdict_.check(renewals_, held || ended_[slot].value() > head.as_of, at, [&] {
            return "entry " + std::to_string(index.value()) + " renews slot " + std::to_string(slot) + ", which nobody held as of entry " +
                   std::to_string(head.as_of);
        });
    }
}

void ReferenceLedger::note_ends(LogIndex index) {
    for (std::size_t slot = 0; slot < tokens_.size(); ++slot) {
        const std::uint64_t token = ledger_.lease(static_cast<std::uint16_t>(slot)).token;
        if (tokens_[slot] != 0 && token != tokens_[slot]) ended_[slot] = index;
        tokens_[slot] = token;
    }
}

std::optional<ledger::LeaseRow> ReferenceLedger::lease(std::string_view name) const {
    if (!known_) return std::nullopt;
    const std::uint16_t slot = ledger_.find_lease(name);
    return slot == kNoSlot ? ledger::LeaseRow{} : ledger_.lease(slot);
}

}  // namespace dunlin::sim
