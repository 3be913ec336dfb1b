#include <dunlin_sim/checkers/lease_model.hpp>

#include <dunlin/core/bytes.hpp>

#include <algorithm>

namespace dunlin::sim {

LeaseModel::LeaseModel(Verdict& verdict, const LedgerLimits& limits)
    : verdict_(verdict),
      token_(verdict.expect("each grant has a token of its own", Verdict::Occasion::rare)),
      exclusive_(verdict.expect("a held lease is granted to nobody else", Verdict::Occasion::rare)),
      ends_(verdict.expect("a lease ends by release or deadline", Verdict::Occasion::rare)),
      leases_(limits.leases) {}

std::string LeaseModel::text(std::string_view name) const {
    return "entry " + std::to_string(index_.value()) + ": lease " + std::string(name);
}

LeaseModel::Lease* LeaseModel::find(std::string_view name) {
    const auto found = std::ranges::find_if(leases_, [&](const Lease& lease) { return lease.token != 0 && lease.name == name; });
    return found == leases_.end() ? nullptr : &*found;
}

// Of the overdue ones, some have made room before the command was looked at.
bool LeaseModel::full() const {
    const auto used = std::ranges::count_if(leases_, [](const Lease& lease) { return lease.token != 0; });
    const auto expired = std::ranges::count_if(leases_, [this](const Lease& lease) { return overdue(lease); });
    constexpr auto kExpiries = static_cast<std::ptrdiff_t>(ledger::Ledger::kExpiriesPerEntry);
    return used - std::min(expired, kExpiries) >= static_cast<std::ptrdiff_t>(leases_.size());
}

void LeaseModel::begin(Instant at, LogIndex index, std::uint64_t cluster_time) {
    at_ = at;
    index_ = index;
    time_ = cluster_time;
}

// ---- Commands -------------------------------------------------------------------------------------------------------------------

void LeaseModel::acquired(const ledger::CommandHead& head, const ledger::AcquireCommand& command, const ledger::CommandResult& result) {
    Lease* const before = find(command.name);
    const bool own = before != nullptr && before->holder == head.node && before->holder_epoch == command.holder_epoch.value();
    if (before != nullptr && !own && !overdue(*before)) return check_refusal(*before, head, result);
    const bool no_room = before == nullptr && full();
    const Status expected = no_room ? Status::ledger_full : Status::ok;
    verdict_.check(exclusive_, result.status == expected, at_, [&] {
        return text(command.name) + ", which " + (no_room ? "finds no row" : "is free for whoever asks") + ", is answered " +
               std::string(to_string(result.status));
    });
    if (result.status != Status::ok || result.detail >= leases_.size()) return;
    std::uint64_t& highest = tokens_[std::string(command.name)];
    verdict_.check(token_, result.value == index_.value() && result.value > highest, at_, [&] {
        return text(command.name) + " is granted under token " + std::to_string(result.value) + " after token " + std::to_string(highest);
    });
    highest = std::max(highest, result.value);
    Lease& lease = leases_[result.detail];
    verdict_.check(exclusive_, &lease == before || lease.token == 0 || overdue(lease), at_,
                   [&] { return text(command.name) + " is granted in the row of lease " + lease.name; });
    if (before != nullptr) *before = {};
    const auto ttl = static_cast<std::uint64_t>(to_us(command.ttl));
    lease = {std::string(command.name), result.value, time_ + ttl, ttl, command.holder_epoch.value(), head.node};
}

void LeaseModel::check_refusal(const Lease& lease, const ledger::CommandHead& head, const ledger::CommandResult& result) {
    const bool told = result.status == Status::lease_held && result.detail == lease.holder && result.value == lease.deadline - time_;
    verdict_.check(exclusive_, told, at_, [&] {
        return text(lease.name) + " is held by node " + std::to_string(lease.holder) + " for " + std::to_string(lease.deadline - time_) +
               " us more, and node " + std::to_string(head.node) + " is answered " + std::string(to_string(result.status));
    });
}

void LeaseModel::released(const ledger::CommandHead& head, const ledger::ReleaseCommand& command, const ledger::CommandResult& result) {
    Lease* const lease = find(command.name);
    const bool holds = lease != nullptr && lease->token == command.token.value() && lease->holder == head.node;
    const bool either = holds && overdue(*lease);
    verdict_.check(ends_, either || result.status == (holds ? Status::ok : Status::lease_lost), at_, [&] {
        return text(command.name) + ", which node " + std::to_string(head.node) + (holds ? " holds" : " does not hold") +
               ", is released by it, and it is answered " + std::string(to_string(result.status));
    });
    if (holds) *lease = {};
}

void LeaseModel::renewed(std::span<const std::byte> payload) {
    ledger::RenewalsHead head{};
    if (!take(payload, head) || payload.size() != (leases_.size() + 7) / 8) return;
    for (std::size_t slot = 0; slot < leases_.size(); ++slot) {
        Lease& lease = leases_[slot];
        if ((std::to_integer<unsigned>(payload[slot / 8]) >> (slot % 8) & 1U) == 0) continue;
        if (lease.token != 0 && lease.token <= head.as_of && !overdue(lease)) lease.deadline = time_ + lease.ttl_us;
    }
}

// ---- Rows -----------------------------------------------------------------------------------------------------------------------

// One entry ends a bounded number of overdue leases; the others wait for the next one.
void LeaseModel::end(const ledger::Ledger& ledger) {
    std::size_t expired = 0;
    std::size_t waiting = 0;
    for (std::size_t slot = 0; slot < leases_.size(); ++slot) {
        Lease& lease = leases_[slot];
        const ledger::LeaseRow row = ledger.lease(static_cast<std::uint16_t>(slot));
        if (overdue(lease) && row.token == 0) {
            ++expired;
            lease = {};
        }
        waiting += overdue(lease) ? 1U : 0U;
        const bool same = row.token == lease.token && row.deadline == lease.deadline && row.holder == lease.holder &&
                          row.holder_epoch == lease.holder_epoch && text_of(row.name) == lease.name;
        verdict_.check(ends_, same, at_, [&] {
            return text(lease.token != 0 ? lease.name : text_of(row.name)) + " should have token " + std::to_string(lease.token) +
                   " and end at " + std::to_string(lease.deadline) + ", and has token " + std::to_string(row.token) + " and ends at " +
                   std::to_string(row.deadline);
        });
    }
    verdict_.check(ends_, waiting == 0 || expired >= ledger::Ledger::kExpiriesPerEntry, at_,
                   [&] { return "entry " + std::to_string(index_.value()) + " leaves a lease held whose deadline is over"; });
}

}  // namespace dunlin::sim
