#include <dunlin_sim/faults/disk_faults.hpp>

namespace dunlin::sim {
namespace {

constexpr Duration kCheckpointWait = seconds{3};
constexpr std::int64_t kShorter = 8;  // so that copies of the effect are still on their way when the process is back

}  // namespace

void DiskFaults::strike(const Fault& fault) {
    // Of those that have a disk; there always is one, as there always is a voter.
    std::size_t victim = fault.one % world_.size();
    while (world_.process(victim).setup.disk_bytes == 0) victim = (victim + 1) % world_.size();
    switch (fault.name.kind) {
        case FaultKind::lost_write:
            if (fault.amount != 0) return await_checkpoint(victim, fault.length, kCheckpointWait);
            return crash_in_sync(victim, Unsynced::lost, fault.length);
        case FaultKind::torn_write:
            if (fault.amount != 0) return tear_next_effect(fault.length / kShorter);
            return crash_in_sync(victim, Unsynced::torn, fault.length);
        case FaultKind::slow_sync: return slow_syncs(victim, fault);
        case FaultKind::rot_tail: return rot_tail(victim, fault);
        case FaultKind::rot_middle:
        case FaultKind::full_disk:
        case FaultKind::wiped_disk:
            if (world_.running(victim) && !incidents_[victim]) begin(victim, fault);
            return;
        default: return;
    }
}

// What becomes of the writes is counted by the disk.
void DiskFaults::crash_in_sync(std::size_t process, Unsynced fate, Duration down) {
    if (!world_.running(process)) return;
    world_.crash_in_next_sync(process, fate);
    world_.at(world_.now() + down, [this, process] { restart(process); });
}

// Its key may be on the disk, and the watermark and position that are to follow it not.
void DiskFaults::tear_next_effect(Duration down) {
    workload_.after_next_effect([this, down](std::size_t process) {
        if (!healed_) crash_in_sync(process, Unsynced::torn, down);
    });
}

// A checkpoint counts once its head is synced, and the bank before it is marked so only with the next sync: that one is lost.
void DiskFaults::await_checkpoint(std::size_t process, Duration down, Duration left) {
    static constexpr Duration kLook = microseconds{500};
    if (!world_.running(process) || left <= Duration{} || healed_) return;
    const auto count = [this, process] { return world_.node(process).counters().get(Counter::journal_compactions); };
    world_.at(world_.now() + kLook, [this, process, down, left, count, before = count(), life = world_.process(process).life] {
        if (healed_ || !world_.running(process) || world_.process(process).life != life) return;
        if (count() == before) return await_checkpoint(process, down, left - kLook);
        crash_in_sync(process, Unsynced::lost, down);
    });
}

void DiskFaults::slow_syncs(std::size_t process, const Fault& fault) {
    count(FaultKind::slow_sync);
    world_.set_sync_stall(process, Duration{static_cast<std::int64_t>(fault.amount)});
    world_.at(world_.now() + fault.length, [this, process] { world_.set_sync_stall(process, {}); });
}

void DiskFaults::rot_tail(std::size_t process, const Fault& fault) {
    if (!world_.running(process) || incidents_[process]) return;
    world_.crash(process);
    if (world_.process(process).disk.rot_tail(fault.amount)) count(FaultKind::rot_tail);
    world_.at(world_.now() + fault.length, [this, process] { restart(process); });
}

void DiskFaults::begin(std::size_t process, const Fault& fault) {
    Incident& incident = incidents_[process].emplace(Incident{fault.name.kind, ++begun_, {}, {}});
    watchers_.coordination.may_stop(process);
    if (fault.name.kind == FaultKind::rot_middle) rot_middle(process, incident, fault);
    if (fault.name.kind == FaultKind::wiped_disk) wipe(process, incident, fault);
    if (fault.name.kind == FaultKind::full_disk) {
        count(FaultKind::full_disk);
        world_.process(process).disk.full = true;
    }
    world_.at(world_.now() + fault.length, [this, process, number = incident.number] {
        if (incidents_[process] && incidents_[process]->number == number) end(process);
    });
}

void DiskFaults::rot_middle(std::size_t process, Incident& incident, const Fault& fault) {
    world_.crash(process);
    incident.rot = world_.process(process).disk.rot_middle(fault.amount);
    if (incident.rot) count(FaultKind::rot_middle);
    world_.restart(process);
}

// Blank, or, at a voter that was never removed, with the journal of a newcomer under its id, as of an operator who thinks that
// `join` mends it.
void DiskFaults::wipe(std::size_t process, Incident& incident, const Fault& fault) {
    world_.crash(process);
    incident.image = world_.process(process).disk.image();
    world_.wipe(process);
    disk_is_foreign(process, true);
    if (fault.amount != 0 && world_.process(process).votes && !members_.removed(process)) {
        hide_from_members(process, true);
        world_.format_member(process);
    }
    count(FaultKind::wiped_disk);
    world_.restart(process);
}

void DiskFaults::disk_is_foreign(std::size_t process, bool foreign) {
    workload_.set_idle(process, foreign);
    watchers_.journal.exchanged(process);
    watchers_.amnesia.set_forgetful(process, foreign);
}

// Only voters know which journal is a voter's (docs/guarantees.md, Identity). Members would take the newcomer for its
// predecessor's successor, and forget what they had settled for the journal that comes back.
void DiskFaults::hide_from_members(std::size_t process, bool hidden) {
    for (std::size_t other = 0; other < world_.size(); ++other) {
        if (!world_.process(other).votes) world_.network().sever(process, other, hidden);
    }
}

void DiskFaults::end(std::size_t process) {
    Incident& incident = *incidents_[process];
    Disk& disk = world_.process(process).disk;
    const bool stopped = !world_.running(process) || world_.node(process).failed();
    if (stopped || incident.kind == FaultKind::wiped_disk) world_.crash(process);
    disk.full = false;
    if (incident.rot) disk.mend(*incident.rot);
    if (incident.kind == FaultKind::wiped_disk) {
        disk.restore(std::move(incident.image));
        disk_is_foreign(process, false);
        hide_from_members(process, false);
    }
    watchers_.coordination.may_stop(process, false);
    incidents_[process].reset();
    restart(process);
}

void DiskFaults::heal() {
    healed_ = true;
    for (std::size_t i = 0; i < world_.size(); ++i) {
        if (incidents_[i]) end(i);
        world_.set_sync_stall(i, {});
        world_.process(i).dies_in_sync.reset();
    }
}

}  // namespace dunlin::sim
