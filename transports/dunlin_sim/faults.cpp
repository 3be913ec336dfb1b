#include <dunlin_sim/faults.hpp>

namespace dunlin::sim {

Faults::Faults(World& world, Workload& workload, const FaultPlan& plan, std::uint64_t seed)
    : world_(world), workload_(workload), plan_(plan), random_(seed) {}

void Faults::start() {
    repeat(plan_.leader_crash_every, [this] { crash_leader(); });
    repeat(plan_.crash_every, [this] {
        const std::size_t victim = somebody();
        if (world_.running(victim)) ++counts_.crashes;
        crash(victim);
    });
    repeat(plan_.pause_every, [this] { pause_somebody(); });
    repeat(plan_.partition_every, [this] { part(); });
}

void Faults::repeat(Duration every, std::function<void()> fault) {
    if (every <= Duration{0}) return;
    const Instant when = world_.now() + random_.between(every / 2, every + every / 2);
    world_.at(when, [this, every, fault = std::move(fault)] {
        if (healed_) return;
        fault();
        repeat(every, fault);
    });
}

void Faults::crash_leader() {
    for (std::size_t i = 0; i < world_.size(); ++i) {
        if (!world_.running(i) || world_.node(i).status(world_.local_now(i)).role != consensus::Role::leader) continue;
        ++counts_.leader_crashes;
        return crash(i);
    }
    world_.at(world_.now() + milliseconds{100}, [this] {
        if (!healed_) crash_leader();
    });
}

void Faults::crash(std::size_t process) {
    if (!world_.running(process)) return;
    world_.crash(process);
    const Duration down = random_.between(milliseconds{1}, plan_.down_max);
    world_.at(world_.now() + down, [this, process] {
        if (!world_.running(process)) world_.restart(process);
    });
}

void Faults::pause_somebody() {
    const std::size_t victim = somebody();
    const Duration length = random_.between(milliseconds{1}, plan_.pause_max);
    if (!world_.running(victim) || world_.paused(victim)) return;
    ++counts_.pauses;
    workload_.pausing(victim);
    world_.pause(victim);
    world_.at(world_.now() + length, [this, victim] { world_.resume(victim); });
}

void Faults::part() {
    const std::uint64_t kind = random_.below(3);
    const std::size_t one = somebody();
    const std::size_t other = somebody();
    const Duration length = random_.between(milliseconds{1}, plan_.partition_max);
    Network& network = world_.network();
    network.heal();
    if (kind == 0) network.isolate(one, true);
    if (kind == 1) network.cut(one, other, true);
    if (kind == 2) {
        for (std::size_t left = 0; left <= one; ++left) {
            for (std::size_t right = one + 1; right < world_.size(); ++right) {
                network.cut(left, right, true);
                network.cut(right, left, true);
            }
        }
    }
    ++counts_.partitions;
    world_.at(world_.now() + length, [this, number = ++partition_] {
        if (number == partition_) world_.network().heal();
    });
}

void Faults::heal() {
    healed_ = true;
    NetworkFaults calm;
    calm.delay_min = world_.network().faults.delay_min;
    calm.delay_max = world_.network().faults.delay_max;
    world_.network().faults = calm;
    world_.network().heal();
    for (std::size_t i = 0; i < world_.size(); ++i) {
        world_.resume(i);
        if (!world_.running(i)) world_.restart(i);
    }
}

}  // namespace dunlin::sim
