#include <dunlin_sim/faults/faults.hpp>

#include <dunlin_sim/faults/partitions.hpp>

namespace dunlin::sim {
namespace {

constexpr std::uint32_t kAlwaysPasses = 1200;  // bytes, as every session begins

}  // namespace

Faults::Faults(World& world, Workload& workload, Audit& audit, const DiskWatchers& watchers, std::vector<Fault> schedule)
    : world_(world),
      schedule_(std::move(schedule)),
      processes_(world, workload, counts_),
      members_(world, audit, counts_),
      disks_(world, workload, watchers, members_, counts_),
      bare_appends_(world),
      base_(world.network().faults) {}

void Faults::start() {
    for (const Fault& fault : schedule_) {
        world_.at(fault.at, [this, &fault] {
            if (!healed_) strike(fault);
        });
    }
}

void Faults::strike(const Fault& fault) {
    switch (fault.name.kind) {
        case FaultKind::delay:
        case FaultKind::loss:
        case FaultKind::duplication:
        case FaultKind::reordering:
        case FaultKind::corruption:
        case FaultKind::thin_line: return set_network(fault);
        case FaultKind::short_path: return shorten_paths(fault);
        case FaultKind::clog: return clog(fault);
        case FaultKind::isolation:
        case FaultKind::one_way_cut:
        case FaultKind::split:
        case FaultKind::bridge:
        case FaultKind::ring: return part(fault);
        case FaultKind::old_datagrams: world_.network().repeat_old(world_.now(), fault.amount, fault.one); return;
        case FaultKind::bare_append: return bare_appends_.start(static_cast<std::uint32_t>(fault.amount), fault.one);
        case FaultKind::membership: return members_.strike(fault);
        default:
            processes_.strike(fault);
            disks_.strike(fault);
            return;
    }
}

void Faults::set_network(const Fault& fault) {
    NetworkFaults& network = world_.network().faults;
    const auto amount = static_cast<std::uint32_t>(fault.amount);
    switch (fault.name.kind) {
        case FaultKind::delay:
            network.delay_min = microseconds{amount / 4};
            network.delay_max = microseconds{amount};
            return;
        case FaultKind::loss: network.loss_ppm = amount; return;
        case FaultKind::duplication: network.duplicate_ppm = amount; return;
        case FaultKind::reordering: network.late_ppm = amount; return;
        case FaultKind::corruption: network.corrupt_ppm = amount; return;
        case FaultKind::thin_line: network.bytes_per_s = amount; return;
        default: return;
    }
}

void Faults::part(const Fault& fault) {
    const std::size_t one = fault.one % world_.size();
    const std::size_t other = fault.other % world_.size();
    Network& network = world_.network();
    network.heal();
    switch (fault.name.kind) {
        case FaultKind::isolation: network.isolate(one, true); break;
        case FaultKind::one_way_cut: network.cut(one, other, true); break;
        case FaultKind::split: split(network, world_.size(), one); break;
        case FaultKind::bridge: bridge(network, world_.size(), one); break;
        case FaultKind::ring: ring(network, world_.size()); break;
        default: break;
    }
    ++counts_[index_of(fault.name.kind)];
    world_.at(world_.now() + fault.length, [this, number = ++partition_] {
        if (number == partition_) world_.network().heal();
    });
}

void Faults::shorten_paths(const Fault& fault) {
    ++counts_[index_of(FaultKind::short_path)];
    if ((fault.one & 1U) != 0) return narrow_path(fault);
    std::uint32_t& longest = world_.network().faults.datagram_bytes_max;
    longest = static_cast<std::uint32_t>(fault.amount);
    world_.at(world_.now() + fault.length, [&longest] { longest = 0; });
}

// Between two processes, for long; or for ever, where what a session begins with passes.
void Faults::narrow_path(const Fault& fault) {
    const std::size_t one = (fault.one >> 1U) % world_.size();
    const std::size_t other = fault.other % world_.size();
    const auto bytes = static_cast<std::uint32_t>(fault.amount * 3 / 2);
    world_.network().narrow(one, other, bytes);
    if (bytes >= kAlwaysPasses) return;
    world_.at(world_.now() + 5 * fault.length, [this, one, other] { world_.network().narrow(one, other, 0); });
}

void Faults::clog(const Fault& fault) {
    const std::size_t from = fault.one % world_.size();
    const std::size_t to = fault.other % world_.size();
    ++counts_[index_of(FaultKind::clog)];
    world_.network().clog(from, to, Duration{static_cast<std::int64_t>(fault.amount)});
    world_.at(world_.now() + fault.length, [this, from, to] { world_.network().clog(from, to, Duration{}); });
}

void Faults::heal() {
    healed_ = true;
    NetworkFaults calm;
    calm.delay_min = base_.delay_min;
    calm.delay_max = base_.delay_max;
    world_.network().faults = calm;
    world_.network().heal();
    world_.network().widen(kAlwaysPasses);
    bare_appends_.start(0, 0);
    disks_.heal();
    processes_.heal();
    members_.heal();
}

FaultCounts Faults::counts() const {
    FaultCounts counts = counts_;
    const NetworkCounts& network = world_.network().counts();
    const auto set = [&counts](FaultKind kind, std::uint64_t count) { counts[index_of(kind)] = count; };
    set(FaultKind::delay, network.delayed);
    set(FaultKind::loss, network.lost);
    set(FaultKind::duplication, network.duplicated);
    set(FaultKind::reordering, network.late);
    set(FaultKind::corruption, network.corrupted);
    set(FaultKind::thin_line, network.queued + network.congested);
    set(FaultKind::old_datagrams, network.repeated);
    set(FaultKind::bare_append, bare_appends_.count());
    for (std::size_t i = 0; i < world_.size(); ++i) {
        counts[index_of(FaultKind::lost_write)] += world_.process(i).disk.lost();
        counts[index_of(FaultKind::torn_write)] += world_.process(i).disk.torn();
    }
    return counts;
}

}  // namespace dunlin::sim
