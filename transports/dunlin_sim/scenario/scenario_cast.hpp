#pragma once

#include <dunlin_sim/scenario/scenario_stage.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace dunlin::sim {

// A step cannot be done, or what it expects is not so: why.
class StepFailed : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Whom the words of a story mean at this moment. Throws StepFailed where they mean nobody.
class ScenarioCast {
  public:
    explicit ScenarioCast(ScenarioStage& stage) : stage_(stage) {}

    // A process; `leader` and `holder` change whom `it` means from now on.
    [[nodiscard]] std::size_t one(const Who& who);
    [[nodiscard]] std::vector<std::size_t> all(const Group& group);
    void remember_leader();

    struct Remembered {
        std::size_t process = 0;
        Term term{};
    };
    [[nodiscard]] const Remembered& remembered() const;

  private:
    ScenarioStage& stage_;
    std::optional<std::size_t> it_{};
    std::optional<Remembered> remembered_{};
};

// As people count: node 1 is process 0.
[[nodiscard]] inline std::string node_name(std::size_t process) { return "node " + std::to_string(process + 1); }

}  // namespace dunlin::sim
