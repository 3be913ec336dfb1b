#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <vector>

namespace dunlin::sim {

// Watches a voter whose disk is not the one that the cluster's log names:
//   a voter without its journal has no say     it grants no vote, stands in no election, and appends no entry
class AmnesiaChecker final : public Observer {
  public:
    AmnesiaChecker(World& world, Verdict& verdict)
        : verdict_(verdict), silent_(verdict.expect("a voter without its journal has no say", Verdict::Occasion::rare)) {
        world.observe(*this);
    }
    // From its next start on this process has another disk than its own; or its own again.
    void set_forgetful(std::size_t process, bool forgetful) {
        if (forgetful_.size() <= process) forgetful_.resize(process + 1);
        forgetful_[process] = forgetful;
    }
    void on_step(Instant at, std::size_t process, const Node& node) override {
        if (process >= forgetful_.size() || !forgetful_[process]) return;
        const Counters& counters = node.counters();
        const std::uint32_t votes = counters.get(Counter::votes_granted);
        const std::uint32_t elections = counters.get(Counter::elections_started);
        const std::uint32_t entries = counters.get(Counter::entries_appended);
        verdict_.check(silent_, votes + elections + entries == 0, at, [&] {
            return "process " + std::to_string(process) + " lost its journal, and has granted " + std::to_string(votes) +
                   " votes, stood in " + std::to_string(elections) + " elections and appended " + std::to_string(entries) + " entries";
        });
    }

  private:
    Verdict& verdict_;
    Verdict::Invariant silent_;
    std::vector<bool> forgetful_;  // by process
};

}  // namespace dunlin::sim
