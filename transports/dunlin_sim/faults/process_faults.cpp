#include <dunlin_sim/faults/process_faults.hpp>

namespace dunlin::sim {
namespace {

// In so long the others commit more than the log's ring holds.
constexpr Duration kAbsenceMin = seconds{8};
// A shutdown takes so long at most: as far as a host that does not wait for subscribers who are away.
constexpr Duration kDrainLimit = seconds{3};

}  // namespace

void ProcessFaults::strike(const Fault& fault) {
    const std::size_t victim = fault.one % world_.size();
    switch (fault.name.kind) {
        case FaultKind::leader_crash: return crash_leader(fault.length);
        case FaultKind::crash:
            if (crash(victim, fault.length)) count(fault.name.kind);
            return;
        case FaultKind::absence:
            if (crash(victim, kAbsenceMin + fault.length)) count(fault.name.kind);
            return;
        case FaultKind::handler_crash: return crash_next_handler(fault.length);
        case FaultKind::start_crash: return crash_after_start(victim, fault);
        case FaultKind::power_cut:
            for (std::size_t i = 0; i < world_.size(); ++i) crash(i, fault.length + milliseconds{(fault.other >> i) % 256});
            return count(fault.name.kind);
        case FaultKind::pause: return pause(victim, fault.length);
        case FaultKind::slow_process: return slow_down(victim, fault);
        case FaultKind::shutdown: return shut_down(fault.amount != 0 ? leader().value_or(victim) : victim, fault.length);
        case FaultKind::contested_election: return contest_election(fault);
        case FaultKind::hung_leader: return hang_leader(fault);
        default: return;
    }
}

bool ProcessFaults::crash(std::size_t process, Duration down) {
    if (!world_.running(process)) return false;
    world_.crash(process);
    restart_later(process, down);
    return true;
}

void ProcessFaults::restart_later(std::size_t process, Duration down) {
    world_.at(world_.now() + down, [this, process] {
        if (!world_.running(process)) world_.restart(process);
    });
}

std::optional<std::size_t> ProcessFaults::leader() {
    for (std::size_t i = 0; i < world_.size(); ++i) {
        if (world_.running(i) && world_.node(i).status(world_.local_now(i)).role == consensus::Role::leader) return i;
    }
    return std::nullopt;
}

void ProcessFaults::crash_leader(Duration down) {
    if (const auto found = leader()) {
        count(FaultKind::leader_crash);
        crash(*found, down);
        return;
    }
    world_.at(world_.now() + milliseconds{100}, [this, down] {
        if (!healed_) crash_leader(down);
    });
}

void ProcessFaults::crash_next_handler(Duration down) {
    workload_.before_next_verdict([this, down](std::size_t process) {
        if (healed_) return;
        count(FaultKind::handler_crash);
        world_.crash_here(process);
        restart_later(process, down);
    });
}

void ProcessFaults::crash_after_start(std::size_t process, const Fault& fault) {
    constexpr Duration kDown = milliseconds{500};
    if (!crash(process, kDown)) return;
    world_.at(world_.now() + kDown + Duration{static_cast<std::int64_t>(fault.amount)}, [this, process, down = fault.length] {
        if (!healed_ && crash(process, down)) count(FaultKind::start_crash);
    });
}

void ProcessFaults::pause(std::size_t process, Duration length) {
    if (!world_.running(process) || world_.paused(process)) return;
    count(FaultKind::pause);
    workload_.pausing(process);
    world_.pause(process);
    world_.at(world_.now() + length, [this, process] { world_.resume(process); });
}

void ProcessFaults::shut_down(std::size_t process, Duration down) {
    if (!world_.running(process) || world_.paused(process) || world_.shutting_down(process)) return;
    count(FaultKind::shutdown);
    world_.shut_down(process, kDrainLimit);
    restart_later(process, kDrainLimit + down);
}

// Votes and terms take long to become durable: candidates overlap, and terms are begun that nobody hears of before the leader
// is back.
void ProcessFaults::contest_election(const Fault& fault) {
    constexpr Duration kAftermath = milliseconds{500};
    const auto found = leader();
    if (!found || world_.paused(*found)) return;
    count(FaultKind::contested_election);
    workload_.pausing(*found);
    world_.pause(*found);
    world_.at(world_.now() + fault.length, [this, paused = *found] { world_.resume(paused); });
    for (std::size_t i = 0; i < world_.size(); ++i) world_.set_sync_stall(i, Duration{static_cast<std::int64_t>(fault.amount)});
    world_.at(world_.now() + fault.length + kAftermath, [this] {
        for (std::size_t i = 0; i < world_.size(); ++i) world_.set_sync_stall(i, {});
    });
}

// The sync that its disk begins next, and what it begins within an election timeout of that.
void ProcessFaults::hang_leader(const Fault& fault) {
    const auto found = leader();
    if (!found) return;
    count(FaultKind::hung_leader);
    world_.set_sync_stall(*found, Duration{static_cast<std::int64_t>(fault.amount)});
    world_.at(world_.now() + seconds{1}, [this, hung = *found] { world_.set_sync_stall(hung, {}); });
}

void ProcessFaults::slow_down(std::size_t process, const Fault& fault) {
    count(FaultKind::slow_process);
    world_.set_lag(process, Duration{static_cast<std::int64_t>(fault.amount)});
    world_.at(world_.now() + fault.length, [this, process] { world_.set_lag(process, {}); });
}

void ProcessFaults::heal() {
    healed_ = true;
    workload_.before_next_verdict({});
    for (std::size_t i = 0; i < world_.size(); ++i) {
        world_.resume(i);
        world_.set_lag(i, {});
        world_.end_shutdown(i);
        if (!world_.running(i)) world_.restart(i);
    }
}

}  // namespace dunlin::sim
