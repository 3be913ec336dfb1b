#include <dunlin_sim/checkers/coordination_checker.hpp>

#include <string>

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
      going_(verdict.expect("no node stops by itself")) {
    world.observe(*this);
}

CoordinationChecker::Seen& CoordinationChecker::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(process + 1);
    return seen_[process];
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
        case EventKind::started: return verdict_.check(going_, true, at, [] { return std::string(); });
        case EventKind::failed:
        case EventKind::diverged: {
            // Who is told to shut down before it has recovered does so at once.
            const bool told = event.status == Status::shutting_down && world_.shutting_down(process);
            return verdict_.check(going_, seen_of(process).may_stop || told, at, [&] {
                return text(process) + ": " + std::string(to_string(event.kind)) + ", " + std::string(to_string(event.status));
            });
        }
        default: return;
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

void CoordinationChecker::on_step(Instant at, std::size_t process, const Node& node) { check_replica(at, process, node, seen_of(process)); }

// Its disk stays what it is.
void CoordinationChecker::on_crash(Instant, std::size_t process, const Node&) {
    Seen& seen = seen_of(process);
    const bool may_stop = seen.may_stop;
    seen = {};
    seen.may_stop = may_stop;
}

}  // namespace dunlin::sim
