#include <dunlin_sim/scenario/scenario_stage.hpp>

#include <dunlin_sim/scenario/scenario_actor.hpp>
#include <dunlin_sim/workload/host.hpp>

#include <algorithm>

namespace dunlin::sim {

std::uint64_t KeyHistory::number_of(const std::string& value) const {
    const auto found = std::ranges::find(values, value);
    return found == values.end() ? 0 : static_cast<std::uint64_t>(found - values.begin()) + 1;
}

ScenarioStage::ScenarioStage(const Scenario& scenario)
    : world(scenario.seed, scenario.clocks.size()), voters(scenario.voters), parts(scenario.clocks.size()) {
    world.observe(*this);
    std::vector<std::size_t> voting;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool votes = i < voters;
        ProcessSetup setup;
        setup.options.id = NodeId{static_cast<std::uint16_t>(i + 1)};
        setup.options.cluster = "scenario";
        setup.options.packet_bytes_max = scenario.packet_bytes;
        setup.memory = host_memory(votes, parts.size());
        setup.application = [this, i] { return std::make_unique<ScenarioActor>(*this, i); };
        setup.disk_bytes = host_disk_bytes(Room::ample);
        for (std::size_t other = 0; other < parts.size(); ++other) {
            if (other != i) setup.seeds.push_back(other);
        }
        setup.clock_offset = scenario.clocks[i].offset;
        setup.clock_rate_ppm = scenario.clocks[i].rate_ppm;
        world.add(std::move(setup));
        if (votes) voting.push_back(i);
    }
    world.found_cluster(voting, host_ledger(Room::ample));
    for (std::size_t i = voters; i < parts.size(); ++i) world.format_member(i);
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

void ScenarioStage::on_crash(Instant at, std::size_t process, const Node& node) {
    const auto number = static_cast<std::uint32_t>(process);
    delivery.crashed(at, number, parts[process].journals, node.id(), true);
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
    delivery.crashed(world.now(), static_cast<std::uint32_t>(process), part.journals, world.process(process).setup.options.id, false);
    part.orders.clear();
    ++part.journals;
}

}  // namespace dunlin::sim
