#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <unordered_map>
#include <vector>

namespace dunlin::sim {

// Watches what must hold of consensus, on true time:
//   election safety     at most one leader a term
//   state equality      the same state hash at the same applied index, on every voter, for ever
//   monotone            a node's commit and applied index never go back in one life
//   nodes go on         no node stops by itself
class CoordinationChecker final : public Observer {
  public:
    CoordinationChecker(World& world, Verdict& verdict);

    // Something is wrong with its disk, or it is not its own: it is right to stop.
    void may_stop(std::size_t process, bool may = true) { seen_of(process).may_stop = may; }

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

    [[nodiscard]] std::uint64_t leaders() const { return leaders_.size(); }

  private:
    struct Seen {
        LogIndex commit{};
        LogIndex applied{};
        std::uint32_t progress = 0;  // of the counters that move when a commit does
        std::uint32_t steps = 0;
        bool may_stop = false;
    };
    void check_replica(Instant at, std::size_t process, const Node& node, Seen& seen);
    [[nodiscard]] Seen& seen_of(std::size_t process);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant election_, state_, monotone_, going_;
    std::map<std::uint64_t, std::size_t> leaders_;             // by term
    std::unordered_map<std::uint64_t, std::uint64_t> hashes_;  // by applied index
    std::vector<Seen> seen_;                                   // by process
};

}  // namespace dunlin::sim
