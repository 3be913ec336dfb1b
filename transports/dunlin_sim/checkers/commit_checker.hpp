#pragma once

#include <dunlin_sim/checkers/configurations.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <functional>
#include <string>
#include <vector>

namespace dunlin::sim {

// Keeps the log that the voters have committed, and holds every later leader and disk against it (Raft thesis §3.6):
//   committed on a majority     what a voter takes for committed is on the disks of a majority of the voters, by a log that has it
//   committed in its own term   a leader commits by an entry of its own term, never by counting an older one
//   leader completeness         whoever is elected has all that was committed in earlier terms (who was stopped with the votes that
//                               elect it unread may find later terms gone by)
//   committed for good          a disk that held a committed entry still holds it, over crashes and checkpoints
class CommitChecker {
  public:
    // Only the storages that its hosts begin with count.
    CommitChecker(World& world, Verdict& verdict, DurableStates& durable, Configurations& configurations);

    [[nodiscard]] LogIndex committed() const { return LogIndex{terms_.size()}; }  // by anybody so far
    // Whether this voter leads, and an entry of its term is committed.
    [[nodiscard]] bool leads_with_entry(std::size_t process) const;
    // Called with each entry as it is committed, in order.
    std::function<void(Instant at, LogIndex index, const DurableState::Entry& entry)> on_committed;

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event);
    void on_step(Instant at, std::size_t process, const Node& node);
    void on_durable(Instant at, std::size_t process);  // its disk's state has changed
    void on_crash(std::size_t process);

  private:
    struct Seen {
        StorageId storage{};
        std::uint32_t progress = 0;  // of the counter of committed entries
        LogIndex held{};             // the last committed entry that its disk was seen to hold
        Term leads{};                // elected in this term; 0: does not lead
        LogIndex owed{};             // what it had to hold then; 0: that was checked
    };
    [[nodiscard]] bool votes(std::size_t process) const { return configurations_.may_vote(process); }
    [[nodiscard]] Term term_at(LogIndex index) const { return terms_[index.value() - 1]; }
    [[nodiscard]] bool same_disk(std::size_t process);
    [[nodiscard]] bool on_majority(Instant at, LogIndex index, Term term);
    [[nodiscard]] Term term_on_disks(Instant at, LogIndex index);
    void check_commit(Instant at, std::size_t process, const StatusReport& report);
    void take(Instant at, LogIndex commit, Term term, const StatusReport& report);
    [[nodiscard]] LogIndex committed_before(Term term) const;
    void check_disk(Instant at, std::size_t process, Seen& seen);
    void check_completeness(Instant at, std::size_t process, Seen& seen);

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    Configurations& configurations_;
    Verdict::Invariant majority_, own_term_, completeness_, good_;
    std::vector<Seen> seen_;     // by process
    std::vector<Term> terms_;    // of committed entries, from index 1 on
    std::vector<Term> seen_in_;  // the term of who first took them for committed
};

}  // namespace dunlin::sim
