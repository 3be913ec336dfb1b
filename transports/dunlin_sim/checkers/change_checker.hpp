#pragma once

#include <dunlin_sim/checkers/commit_checker.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <deque>
#include <set>
#include <utility>

namespace dunlin::sim {

// Watches the changes of members in the logs of all disks, whatever becomes of them (Raft thesis §4.1, and docs/decisions/0019):
//   a change after a commit in its term   a leader adds none before it has committed an entry of its own term
//   one change at a time                  nor while the one before it in its log is not committed
//   a learner has the log first           who is promoted has what was committed kBehindMax ago
class ChangeChecker {
  public:
    // A leader may stand still for some seconds, and take what it heard before for news.
    static constexpr Duration kBehindMax = seconds{5};

    ChangeChecker(World& world, Verdict& verdict, DurableStates& durable, const CommitChecker& commits);

    // Its disk's state has changed, and all that anybody has committed is known.
    void on_durable(Instant at, std::size_t process);

  private:
    void check(Instant at, const DurableState& disk, LogIndex index);
    void check_promotion(Instant at, LogIndex index, const consensus::ConfigChange& what);
    void note_commit(Instant at);
    [[nodiscard]] LogIndex log_of(std::size_t process);

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    const CommitChecker& commits_;
    Verdict::Invariant own_term_, one_, has_log_;
    std::set<std::pair<LogIndex, Term>> checked_;
    std::deque<std::pair<Instant, LogIndex>> commits_seen_;  // the first one is at least kBehindMax old, or the very first
};

}  // namespace dunlin::sim
