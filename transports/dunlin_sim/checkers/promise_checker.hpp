#pragma once

#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <string>
#include <vector>

namespace dunlin::sim {

// Holds what nodes say against what their disks hold, as though the power could go at any moment (persist before send):
//   durable before promised   an epoch, a term, a vote, an acknowledged entry and the floor of a fenced topic are on disk before a
//                             packet, or a handler, relies on them
//   durable for good          and later states of that disk, over crashes and checkpoints, still say so
//   one vote a term           a disk grants one candidate its vote in a term, over all lives of its process
// Promises are a disk's: one that was wiped has made none, and one that comes back has not forgotten any.
class PromiseChecker {
  public:
    PromiseChecker(World& world, Verdict& verdict, DurableStates& durable);

    // A handler of a topic that this lease fences was run under this token.
    void handled_under(Instant at, std::size_t process, LeaseKey lease, Token token);

    // `process` sends a packet in this epoch; and one with records of consensus.
    void on_epoch(Instant at, std::size_t process, BootEpoch epoch);
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes);
    // Its disk's state has changed.
    void on_durable(Instant at, std::size_t process);

  private:
    struct Promised {
        BootEpoch epoch{};
        Term term{};
        Term vote_term{};  // of the last vote
        NodeId vote{};
        std::map<LeaseKey, Token> floors;
    };
    [[nodiscard]] Promised* promised_of(std::size_t process);
    void promise_term(Instant at, std::size_t process, Promised& promised, Term term);
    void promise_vote(Instant at, std::size_t process, Promised& promised, Term term, NodeId candidate);
    void promise_entries(Instant at, std::size_t process, LogIndex match);

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    Verdict::Invariant before_, good_, vote_;
    std::map<StorageId, Promised> promised_;
    std::vector<BootEpoch> epochs_;  // that each process has spoken in last
};

}  // namespace dunlin::sim
