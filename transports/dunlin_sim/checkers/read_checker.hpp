#pragma once

#include <dunlin_sim/checkers/commit_checker.hpp>
#include <dunlin_sim/checkers/read_rounds.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <set>
#include <vector>

namespace dunlin::sim {

// Watches linearizable reads as they cross the network (Raft thesis §6.4):
//   reads see what was committed   a read is answered from a state that has applied all that was committed, anywhere, when this
//                                  attempt at it was sent
//   reads are confirmed anew       and by a leader whom a majority has answered a round that it began after that: what confirmed an
//                                  earlier attempt, or another read, confirms no later one
//   a floor is read first          a process without a journal runs no handler behind a fence before it was answered in this life what
//                                  the lease's token is, nor one under a lower token
class ReadChecker {
  public:
    ReadChecker(World& world, Verdict& verdict, const CommitChecker& commits, const Configurations& configurations);

    // Packets with hellos, those with reads and their answers, and those between voters with records of consensus.
    void on_hello_sent(std::size_t process, std::span<const std::byte> bytes);
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes);
    void on_consensus_sent(std::size_t process, std::span<const std::byte> bytes) { rounds_.on_send(process, bytes); }
    void on_consensus_received(std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
        rounds_.on_receive(process, from, bytes);
    }
    void on_crash(std::size_t process);
    // A handler of a topic that this lease fences was run under this token.
    void handled_under(Instant at, std::size_t process, LeaseKey lease, Token token);

  private:
    static constexpr std::size_t kReadsMax = 256;  // of one process, that an answer may still come for
    struct Asked {
        LogIndex committed{};     // when it was sent
        std::size_t of = 0;       // whom
        std::uint64_t round = 0;  // the last that he had begun by then
        LeaseKey lease{};         // 0: it is about a key
    };
    using Reads = std::map<std::uint64_t, Asked>;  // by request
    using Floors = std::map<LeaseKey, Token>;      // as answered first
    using Nonces = std::set<std::uint64_t>;        // that a process chose for its sessions
    void grow();
    void check_answer(Instant at, std::size_t process, std::size_t to, const Asked& asked);

    World& world_;
    Verdict& verdict_;
    const CommitChecker& commits_;
    const Configurations& configurations_;
    Verdict::Invariant reads_, anew_, floor_;
    ReadRounds rounds_;
    std::vector<Reads> sent_;     // by process
    std::vector<Nonces> nonces_;  // by process, in this life
    std::vector<Floors> floors_;  // by process, in this life
};

}  // namespace dunlin::sim
