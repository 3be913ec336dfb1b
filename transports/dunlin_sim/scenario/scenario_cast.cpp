#include <dunlin_sim/scenario/scenario_cast.hpp>

namespace dunlin::sim {
namespace {

std::string nobody_leads(const ScenarioStage& stage) {
    return stage.coordination.leaders() != 0 ? "nobody leads" : "nobody leads yet: 'expect within 5s leader among ...' first";
}

}  // namespace

std::size_t ScenarioCast::one(const Who& who) {
    if (who.kind == Who::Kind::number) return who.process;
    if (who.kind == Who::Kind::it) {
        if (!it_) throw StepFailed("'it' is nobody yet: name a leader or a holder first");
        return *it_;
    }
    const bool leads = who.kind == Who::Kind::leader;
    const std::size_t found = leads ? stage_.leader() : stage_.holder(who.lease);
    if (found == stage_.world.size()) throw StepFailed(leads ? nobody_leads(stage_) : "nobody holds " + who.lease);
    it_ = found;
    return found;
}

std::vector<std::size_t> ScenarioCast::all(const Group& group) {
    std::vector<std::size_t> processes;
    for (const Who& who : group.nodes) processes.push_back(one(who));
    if (!group.others) return processes;
    const std::size_t it = one({Who::Kind::it});
    for (std::size_t i = 0; i < stage_.voters; ++i) {
        if (i != it) processes.push_back(i);
    }
    return processes;
}

void ScenarioCast::remember_leader() {
    const std::size_t leader = stage_.leader();
    if (leader == stage_.world.size()) throw StepFailed(nobody_leads(stage_));
    remembered_ = {leader, stage_.status(leader).term};
}

const ScenarioCast::Remembered& ScenarioCast::remembered() const {
    if (!remembered_) throw StepFailed("no leader was remembered");
    return *remembered_;
}

}  // namespace dunlin::sim
