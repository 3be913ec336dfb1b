#include <dunlin_sim/coordination_checker.hpp>

namespace dunlin::sim {
namespace {

std::string text(std::size_t process) { return "process " + std::to_string(process); }

}  // namespace

CoordinationChecker::CoordinationChecker(World& world, Verdict& verdict)
    : world_(world),
      verdict_(verdict),
      election_(verdict.expect("one leader a term")),
      state_(verdict.expect("equal state at equal index")),
      monotone_(verdict.expect("commit never goes back")),
      exclusion_(verdict.expect("one valid holder a lease")),
      token_(verdict.expect("tokens only grow")),
      going_(verdict.expect("no node stops by itself")) {
    world.observe(*this);
}

CoordinationChecker::Seen& CoordinationChecker::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(process + 1);
    return seen_[process];
}

std::size_t CoordinationChecker::lease_named(const std::string& name) {
    for (std::size_t i = 0; i < leases_.size(); ++i) {
        if (leases_[i].name == name) return i;
    }
    leases_.push_back({name});
    return leases_.size() - 1;
}

void CoordinationChecker::wants_lease(std::size_t process, const std::string& name, ledger::LeaseHandle handle) {
    const Want want{lease_named(name), handle};
    for (Want& each : seen_of(process).wants) {
        if (each.handle.slot != handle.slot) continue;
        each = want;
        return;
    }
    seen_of(process).wants.push_back(want);
}

void CoordinationChecker::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    switch (event.kind) {
        case EventKind::role_changed: {
            if (event.value != static_cast<std::uint64_t>(consensus::Role::leader)) return;
            const auto [entry, fresh] = leaders_.try_emplace(event.detail, process);
            verdict_.check(election_, fresh || entry->second == process, at, [&, other = entry->second] {
                return "term " + std::to_string(event.detail) + " has two leaders, " + text(other) + " and " + text(process);
            });
            return;
        }
        case EventKind::lease_held: return on_lease_held(at, process, event);
        case EventKind::started: return verdict_.check(going_, true, at, [] { return std::string(); });
        case EventKind::failed:
        case EventKind::diverged:
            return verdict_.check(going_, seen_of(process).may_stop, at, [&] {
                return text(process) + ": " + std::string(to_string(event.kind)) + ", " + std::string(to_string(event.status));
            });
        default: return;
    }
}

void CoordinationChecker::on_lease_held(Instant at, std::size_t process, const Event& event) {
    for (const Want& want : seen_of(process).wants) {
        if (want.handle.slot != event.slot) continue;
        Lease& lease = leases_[want.lease];
        const bool again = event.value == lease.token && process == lease.holder;  // out of jeopardy
        if (!again) ++grants_;
        verdict_.check(token_, again || event.value > lease.token, at, [&] {
            return "lease " + lease.name + " was granted to " + text(process) + " under token " + std::to_string(event.value) +
                   " after token " + std::to_string(lease.token) + " to " + text(lease.holder);
        });
        lease.token = std::max(lease.token, event.value);
        lease.holder = process;
    }
}

void CoordinationChecker::check_exclusion(Instant at, std::size_t process, const Want& mine) {
    if (!excludes_) return;
    for (std::size_t other = 0; other < seen_.size(); ++other) {
        if (other == process || !world_.running(other)) continue;
        for (const Want& theirs : seen_[other].wants) {
            if (theirs.lease != mine.lease) continue;
            const bool both = world_.node(other).lease(theirs.handle).valid_for(world_.local_now(other), Duration{0});
            verdict_.check(exclusion_, !both, at,
                           [&] { return "lease " + leases_[mine.lease].name + " is held by " + text(process) + " and " + text(other); });
        }
    }
}

// Indices and hash of a replica, taken whenever a counter says that something was committed, and now and then without.
void CoordinationChecker::check_replica(Instant at, std::size_t process, const Node& node, Seen& seen) {
    constexpr std::uint32_t kStepsMax = 64;
    const std::uint32_t progress = node.counters().get(Counter::entries_committed) + node.counters().get(Counter::snapshots_installed);
    if (progress == seen.progress && ++seen.steps < kStepsMax) return;
    seen.progress = progress;
    seen.steps = 0;
    const StatusReport report = node.status(world_.local_now(process));
    if (report.applied == LogIndex{}) return;
    verdict_.check(monotone_, report.commit >= seen.commit && report.applied >= seen.applied, at, [&] {
        return text(process) + " went back to commit " + std::to_string(report.commit.value()) + ", applied " +
               std::to_string(report.applied.value()) + " from " + std::to_string(seen.commit.value()) + ", " +
               std::to_string(seen.applied.value());
    });
    if (report.applied != seen.applied) {
        const auto [entry, fresh] = hashes_.try_emplace(report.applied.value(), report.state_hash);
        verdict_.check(state_, fresh || entry->second == report.state_hash, at,
                       [&] { return text(process) + " differs from others at index " + std::to_string(report.applied.value()); });
    }
    seen.commit = report.commit;
    seen.applied = report.applied;
}

void CoordinationChecker::on_step(Instant at, std::size_t process, const Node& node) {
    Seen& seen = seen_of(process);
    check_replica(at, process, node, seen);
    for (Want& want : seen.wants) {
        const ledger::LeaseView view = node.lease(want.handle);
        if (view.valid_until == want.valid_until || !view.valid_for(world_.local_now(process), Duration{0})) continue;
        want.valid_until = view.valid_until;
        check_exclusion(at, process, want);
    }
}

// Its disk stays what it is.
void CoordinationChecker::on_crash(Instant, std::size_t process, const Node&) {
    Seen& seen = seen_of(process);
    const bool may_stop = seen.may_stop;
    seen = {};
    seen.may_stop = may_stop;
}

}  // namespace dunlin::sim
