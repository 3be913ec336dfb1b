#pragma once

#include <dunlin_sim/checkers/commit_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <vector>

namespace dunlin::sim {

// Watches linearizable reads as they cross the network (Raft thesis §6.4):
//   reads see what was committed   a read is answered from a state that has applied all that was committed, anywhere, when this
//                                  attempt at it was sent
class ReadChecker {
  public:
    ReadChecker(World& world, Verdict& verdict, const CommitChecker& commits);

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes);
    void on_crash(std::size_t process);

  private:
    static constexpr std::size_t kReadsMax = 256;     // of one process, that an answer may still come for
    using Reads = std::map<std::uint64_t, LogIndex>;  // by request: what was committed when it was sent

    World& world_;
    Verdict& verdict_;
    const CommitChecker& commits_;
    Verdict::Invariant reads_;
    std::vector<Reads> sent_;  // by process
};

}  // namespace dunlin::sim
