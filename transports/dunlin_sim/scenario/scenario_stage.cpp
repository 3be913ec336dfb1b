#include <dunlin_sim/scenario/scenario_stage.hpp>

#include <dunlin_sim/faults/aged_journal.hpp>
#include <dunlin_sim/scenario/scenario_actor.hpp>
#include <dunlin_sim/workload/host.hpp>

#include <algorithm>
#include <numeric>

namespace dunlin::sim {

std::uint64_t KeyHistory::number_of(const std::string& value) const {
    const auto found = std::ranges::find(values, value);
    return found == values.end() ? 0 : static_cast<std::uint64_t>(found - values.begin()) + 1;
}

namespace {

Room room_of(bool scarce) { return scarce ? Room::scarce : Room::ample; }

std::vector<std::size_t> first(std::size_t count) {
    std::vector<std::size_t> processes(count);
    std::iota(processes.begin(), processes.end(), std::size_t{0});
    return processes;
}

}  // namespace

ScenarioStage::ScenarioStage(const Scenario& scenario)
    : world(scenario.seed, scenario.nodes.size() + ForeignCluster::kProcesses),
      audit(world, verdict, host_ledger(room_of(scenario.scarce)), first(scenario.voters), true),
      voters(scenario.voters),
      parts(scenario.nodes.size()) {
    world.observe(*this);
    leases.compare_with(audit.reference());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const NodeSetup& node = scenario.nodes[i];
        const Room room = room_of(scenario.scarce || node.scarce);
        ProcessSetup setup;
        setup.options.id = NodeId{static_cast<std::uint16_t>(i + 1)};
        setup.options.cluster = kCluster;
        setup.options.packet_bytes_max = scenario.packet_bytes;
        setup.memory = host_memory(i < voters, parts.size(), room);
        setup.application = [this, i] { return std::make_unique<ScenarioActor>(*this, i); };
        setup.disk_bytes = node.diskless ? 0 : host_disk_bytes(room);
        for (std::size_t other = 0; other < parts.size(); ++other) {
            if (other != i) setup.seeds.push_back(other);
        }
        setup.clock_offset = node.clock_offset;
        setup.clock_rate_ppm = node.clock_rate_ppm;
        world.add(std::move(setup));
    }
    world.found_cluster(first(voters), host_ledger(room_of(scenario.scarce)));
    for (std::size_t i = voters; i < parts.size(); ++i) {
        if (!scenario.nodes[i].diskless) world.format_member(i);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (scenario.nodes[i].sent != 0) number_lanes(i, Sequence{scenario.nodes[i].sent + 1});
    }
    for (std::size_t i = 0; i < parts.size(); ++i) coordination.may_stop(i, scenario.nodes[i].scarce && !scenario.scarce);
    if (scenario.strangers) strangers.build(world, kCluster);
}

void ScenarioStage::number_lanes(std::size_t process, Sequence next) {
    std::vector<NodeId> peers;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != process) peers.push_back(world.process(i).setup.options.id);
    }
    number_lanes_from(world.process(process).disk, peers, next);
}

ScenarioActor& ScenarioStage::actor(std::size_t process) { return static_cast<ScenarioActor&>(world.application(process)); }

KeyHistory& ScenarioStage::key(const std::string& name) {
    constexpr Duration kSlack = milliseconds{100};  // until the application hears of the end
    return keys.try_emplace(name, verdict, Options{}.request_timeout + kSlack).first->second;
}

std::size_t ScenarioStage::leader() {
    std::size_t leader = world.size();
    Term highest{};
    for (std::size_t i = 0; i < world.size(); ++i) {
        if (!world.running(i) || status(i).role != consensus::Role::leader || status(i).term < highest) continue;
        leader = i;
        highest = status(i).term;
    }
    return leader;
}

std::size_t ScenarioStage::holder(const std::string& lease) {
    for (std::size_t i = 0; i < world.size(); ++i) {
        if (world.running(i) && actor(i).holds(lease)) return i;
    }
    return world.size();
}

void ScenarioStage::on_event(Instant, std::size_t process, const Node&, const Event& event) {
    Part& part = parts[process];
    if (event.kind == EventKind::failed || event.kind == EventKind::diverged) part.stopped = to_string(event.status);
    if (event.kind == EventKind::identity_conflict) part.conflict = true;
}

void ScenarioStage::on_send(Instant, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    if (!kept_from_.contains(process) || copies_.size() == kCopiesMax) return;
    copies_.push_back({process, to, {bytes.begin(), bytes.end()}});
}

void ScenarioStage::repeat(std::size_t process) {
    for (const Copy& copy : copies_) {
        if (copy.from != process) continue;
        world.network().send(world.now(), static_cast<std::uint32_t>(copy.from), static_cast<std::uint32_t>(copy.to), 0, copy.bytes);
    }
}

void ScenarioStage::on_crash(Instant at, std::size_t process, const Node& node) {
    const auto number = static_cast<std::uint32_t>(process);
    Part& part = parts[process];
    const bool journalled = world.process(process).setup.disk_bytes != 0;
    delivery.crashed(at, number, part.journals, node.id(), journalled);
    if (!journalled) part.forget();
    for (auto& [name, key] : keys) key.checker.stopped(number);
    actor(process).ending();
}

void ScenarioStage::pausing(std::size_t process) {
    for (auto& [name, key] : keys) key.checker.paused(static_cast<std::uint32_t>(process));
}

void ScenarioStage::wipe(std::size_t process) {
    Part& part = parts[process];
    world.wipe(process);
    coordination.may_stop(process);
    journals.exchanged(process);
    amnesia.set_forgetful(process, true);
    delivery.crashed(world.now(), static_cast<std::uint32_t>(process), part.journals, world.process(process).setup.options.id, false);
    part.forget();
}

}  // namespace dunlin::sim
