#include <dunlin_sim/scenario/scenario_conditions.hpp>

#include <dunlin_sim/scenario/scenario_actor.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

class Eye {
  public:
    Eye(ScenarioStage& stage, ScenarioCast& cast) : stage_(stage), cast_(cast) {}

    Finding operator()(const LeaderAmong& wanted) const {
        const std::vector<std::size_t> nodes = cast_.all(wanted.nodes);
        const auto leads = [&](std::size_t each) { return runs(each) && stage_.status(each).role == consensus::Role::leader; };
        const auto leader = std::ranges::find_if(nodes, leads);
        const bool agreed = leader != nodes.end() && std::ranges::all_of(nodes, [&](std::size_t each) { return follows(each, *leader); });
        return {agreed, roles(nodes)};
    }
    Finding operator()(const LeaderNone& wanted) const {
        const std::vector<std::size_t> nodes = cast_.all(wanted.nodes);
        const bool none =
            std::ranges::all_of(nodes, [&](std::size_t each) { return !runs(each) || stage_.status(each).leader == NodeId{}; });
        return {none, roles(nodes)};
    }
    Finding operator()(const LeaderRemembered&) const {
        const auto& [leader, term] = cast_.remembered();
        const std::vector<std::size_t> nodes = running();
        const bool same = std::ranges::all_of(
            nodes, [&, leader = leader, term = term](std::size_t each) { return follows(each, leader) && in_term(each, term); });
        return {same, roles(nodes) + "; remembered: " + node_name(leader) + " in term " + std::to_string(term.value())};
    }
    Finding operator()(const TermRemembered& wanted) const {
        const Term term = cast_.remembered().term;
        const std::vector<std::size_t> nodes = cast_.all(wanted.nodes);
        const bool same = std::ranges::all_of(nodes, [&](std::size_t each) { return runs(each) && in_term(each, term); });
        return {same, roles(nodes) + "; remembered: term " + std::to_string(term.value())};
    }
    Finding operator()(const Subscribers& wanted) const {
        const std::size_t count = node(wanted.node).subscriber_count(wanted.topic);
        return {count == wanted.count, std::to_string(count) + " are known there"};
    }
    Finding operator()(const Delivered& wanted) const {
        std::uint64_t delivered = 0;
        std::uint64_t duplicates = 0;
        for (std::size_t i = 0; i < stage_.parts.size(); ++i) {
            if (wanted.node && i != cast_.one(*wanted.node)) continue;
            delivered += stage_.parts[i].delivered;
            duplicates += stage_.parts[i].duplicates;
        }
        return {delivered == wanted.count && duplicates == wanted.duplicates.value_or(duplicates),
                "delivered " + std::to_string(delivered) + " duplicates " + std::to_string(duplicates)};
    }
    Finding operator()(const OutcomesTold& wanted) const {
        const std::uint64_t told = stage_.delivery.outcomes(wanted.outcome);
        return {told == wanted.count, std::string(to_string(wanted.outcome)) + " " + std::to_string(told) + "; " + open()};
    }
    Finding operator()(const Settled&) const { return {stage_.delivery.open() == 0 && ordered() == stage_.delivery.publishes(), open()}; }
    Finding operator()(const Holds& wanted) const {
        const std::size_t process = cast_.one(wanted.node);
        static_cast<void>(node(wanted.node));
        const bool holds = stage_.actor(process).holds(wanted.lease);
        const std::size_t holder = stage_.holder(wanted.lease);
        return {holds, holder == stage_.world.size() ? "nobody holds it" : node_name(holder) + " holds it"};
    }
    Finding operator()(const PutEnded& wanted) const {
        const std::string& status = stage_.parts[cast_.one(wanted.node)].last_put;
        return {status == wanted.status, "the last put there is " + status};
    }
    Finding operator()(const ChangeEnded& wanted) const {
        const std::string& status = stage_.parts[cast_.one(wanted.node)].last_change;
        return {status == wanted.status, "the last change asked for there is " + status};
    }
    Finding operator()(const GetReturns& wanted) const { return answered(wanted.node, wanted.value); }
    Finding operator()(const Answered& wanted) const { return answered(wanted.node, wanted.value); }
    Finding operator()(const Down& wanted) const {
        const std::size_t process = cast_.one(wanted.node);
        return {!runs(process), node_name(process) + role(process)};
    }
    Finding operator()(const Stopped& wanted) const {
        const std::string& why = stage_.parts[cast_.one(wanted.node)].stopped;
        return {why == wanted.status, "it " + (why == Part{}.stopped ? why : "stopped: " + why)};
    }
    Finding operator()(const Conflict& wanted) const {
        const bool told = stage_.parts[cast_.one(wanted.node)].conflict;
        return {told, told ? "it was told so" : "it was not told so"};
    }
    Finding operator()(const CounterBelow& wanted) const {
        std::uint64_t sum = 0;
        for (const std::size_t each : running()) sum += stage_.world.node(each).counters().get(wanted.counter);
        return {sum < wanted.limit, std::string(info(wanted.counter).name) + " is " + std::to_string(sum)};
    }

  private:
    [[nodiscard]] bool runs(std::size_t process) const { return stage_.world.running(process); }
    [[nodiscard]] bool follows(std::size_t process, std::size_t leader) const {
        return runs(process) && stage_.status(process).leader == stage_.world.process(leader).setup.options.id;
    }
    // Members that do not vote have no term of their own.
    [[nodiscard]] bool in_term(std::size_t process, Term term) const {
        const StatusReport status = stage_.status(process);
        return status.role == consensus::Role::member || status.term == term;
    }
    [[nodiscard]] Node& node(const Who& who) const {
        const std::size_t process = cast_.one(who);
        if (!runs(process)) throw StepFailed(node_name(process) + " is down");
        return stage_.world.node(process);
    }
    [[nodiscard]] Finding answered(const Who& who, const std::string& value) const {
        const std::size_t process = cast_.one(who);
        static_cast<void>(node(who));
        const std::string& answer = stage_.actor(process).answer();
        return {answer == value, "the answer was " + (answer.empty() ? "none yet" : answer)};
    }
    [[nodiscard]] std::vector<std::size_t> running() const {
        std::vector<std::size_t> processes;
        for (std::size_t i = 0; i < stage_.world.size(); ++i) {
            if (runs(i)) processes.push_back(i);
        }
        return processes;
    }
    [[nodiscard]] std::string role(std::size_t process) const {
        if (!runs(process)) return " is down";
        const StatusReport status = stage_.status(process);
        const std::string term = " in term " + std::to_string(status.term.value());
        if (status.role == consensus::Role::leader) return " leads" + term;
        return (status.leader == NodeId{} ? " knows no leader" : " follows node " + std::to_string(status.leader.value())) + term;
    }
    [[nodiscard]] std::string roles(const std::vector<std::size_t>& processes) const {
        std::string text;
        for (const std::size_t each : processes) text += (text.empty() ? "" : ", ") + node_name(each) + role(each);
        return text;
    }
    [[nodiscard]] std::uint64_t ordered() const {
        std::uint64_t count = 0;
        for (const Part& part : stage_.parts) count += part.orders.size();
        return count;
    }
    [[nodiscard]] std::string open() const {
        return std::to_string(stage_.delivery.open()) + " of " + std::to_string(stage_.delivery.publishes()) +
               " publishes wait for outcomes";
    }

    ScenarioStage& stage_;
    ScenarioCast& cast_;
};

}  // namespace

Finding look(ScenarioStage& stage, ScenarioCast& cast, const Condition& condition) { return std::visit(Eye(stage, cast), condition); }

}  // namespace dunlin::sim
