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
    repeat(plan_.handler_crash_every, [this] { crash_next_handler(); });
    repeat(plan_.short_path_every, [this] { shorten_paths(); });
    repeat(plan_.clog_every, [this] { clog(); });
    repeat(plan_.slow_every, [this] { slow_down(); });
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
    restart_later(process);
}

void Faults::restart_later(std::size_t process) {
    const bool away = random_.below(8) == 0;
    const Duration down = random_.between(milliseconds{1}, away ? plan_.away_max : plan_.down_max);
    world_.at(world_.now() + down, [this, process] {
        if (!world_.running(process)) world_.restart(process);
    });
}

void Faults::crash_next_handler() {
    workload_.before_next_verdict([this](std::size_t process) {
        if (healed_) return;
        ++counts_.handler_crashes;
        world_.crash_here(process);
        restart_later(process);
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

void Faults::cut_both(std::size_t one, std::size_t other) {
    world_.network().cut(one, other, true);
    world_.network().cut(other, one, true);
}

// Those up to `last_left` on one side, the rest on the other.
void Faults::split(std::size_t last_left) {
    for (std::size_t left = 0; left <= last_left; ++left) {
        for (std::size_t right = last_left + 1; right < world_.size(); ++right) cut_both(left, right);
    }
}

// Two sides that hear each other only through process `middle`, and that one hears both.
void Faults::bridge(std::size_t middle) {
    for (std::size_t left = 0; left < middle; ++left) {
        for (std::size_t right = middle + 1; right < world_.size(); ++right) cut_both(left, right);
    }
}

// Each hears its two neighbours: of five, everybody has a majority, and each another one.
void Faults::ring() {
    for (std::size_t one = 0; one < world_.size(); ++one) {
        for (std::size_t other = one + 2; other < world_.size(); ++other) {
            if (one != 0 || other + 1 != world_.size()) cut_both(one, other);
        }
    }
}

void Faults::part() {
    const std::uint64_t kind = random_.below(5);
    const std::size_t one = somebody();
    const std::size_t other = somebody();
    const Duration length = random_.between(milliseconds{1}, plan_.partition_max);
    Network& network = world_.network();
    network.heal();
    if (kind == 0) network.isolate(one, true);
    if (kind == 1) network.cut(one, other, true);
    if (kind == 2) split(one);
    if (kind == 3) bridge(one);
    if (kind == 4) ring();
    ++counts_.partitions;
    world_.at(world_.now() + length, [this, number = ++partition_] {
        if (number == partition_) world_.network().heal();
    });
}

void Faults::end_later(Duration longest, std::function<void()> end) {
    world_.at(world_.now() + random_.between(milliseconds{1}, longest), std::move(end));
}

void Faults::shorten_paths() {
    ++counts_.short_paths;
    std::uint32_t& longest = world_.network().faults.datagram_bytes_max;
    longest = static_cast<std::uint32_t>(300 + random_.below(700));
    end_later(plan_.slow_max, [&longest] { longest = 0; });
}

void Faults::clog() {
    const std::size_t from = somebody();
    const std::size_t to = somebody();
    ++counts_.clogs;
    world_.network().clog(from, to, random_.between(milliseconds{1}, plan_.clog_delay_max));
    end_later(plan_.slow_max, [this, from, to] { world_.network().clog(from, to, Duration{}); });
}

void Faults::slow_down() {
    const std::size_t victim = somebody();
    if (random_.below(2) == 0) {
        ++counts_.slow_nodes;
        world_.set_lag(victim, random_.between(milliseconds{1}, plan_.lag_max));
        end_later(plan_.slow_max, [this, victim] { world_.set_lag(victim, {}); });
    } else {
        ++counts_.slow_disks;
        world_.set_sync_stall(victim, random_.between(milliseconds{1}, plan_.stall_max));
        end_later(plan_.slow_max, [this, victim] { world_.set_sync_stall(victim, {}); });
    }
}

void Faults::heal() {
    healed_ = true;
    workload_.before_next_verdict({});
    NetworkFaults calm;
    calm.delay_min = world_.network().faults.delay_min;
    calm.delay_max = world_.network().faults.delay_max;
    world_.network().faults = calm;
    world_.network().heal();
    for (std::size_t i = 0; i < world_.size(); ++i) {
        world_.resume(i);
        world_.set_lag(i, {});
        world_.set_sync_stall(i, {});
        if (!world_.running(i)) world_.restart(i);
    }
}

}  // namespace dunlin::sim
