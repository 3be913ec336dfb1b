#pragma once

#include <dunlin_sim/scenario/scenario_cast.hpp>

#include <string>

namespace dunlin::sim {

struct Finding {
    bool holds = false;
    std::string seen{};  // what is so, whether it is as expected or not
};

// Whether a condition holds now. Of GetReturns: whether the last answer is that value; who looks has asked before.
// Throws StepFailed where its words mean nobody, or a node that does not run.
[[nodiscard]] Finding look(ScenarioStage& stage, ScenarioCast& cast, const Condition& condition);

}  // namespace dunlin::sim
