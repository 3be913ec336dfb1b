#pragma once

#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <vector>

namespace dunlin::sim {

// Watches how journals move from one bank to the other (journal/bank_header.hpp):
//   one bank counts            once anything was appended to a bank, the one before it says on disk that it has been taken over
//   a checkpoint counts when it is whole   its head is not written before all of its records are synced
//   compactions are worth it   a journal is written anew when at least half of its bank is used, and an eighth of it or more was
//                              appended since the last time; or when the next record may not fit. Not of the first time in a life, after a
//                              torn tail, nor where the leader's image came.
class BankChecker {
  public:
    BankChecker(World& world, Verdict& verdict, DurableStates& durable);

    void on_durable(Instant at, std::size_t process, const Node& node);  // its disk's state has changed
    void on_step(Instant at, std::size_t process);

  private:
    struct Seen {
        std::uint64_t generation = 0;
        std::uint32_t life = 0;
        std::uint32_t images = 0;  // installed by then
        std::uint64_t head = 0;    // generation of the last that was written and not synced yet
    };
    [[nodiscard]] Seen& seen_of(std::size_t process);
    void check_compaction(Instant at, std::size_t process, const DurableState::Compaction& compaction);

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    Verdict::Invariant one_, whole_, worth_;
    std::vector<Seen> seen_;  // by process
};

}  // namespace dunlin::sim
