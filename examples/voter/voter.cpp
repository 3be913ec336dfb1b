// A board that votes: one of the three or five that keep the cluster's ledger, of leases, keys and members, and elect who leads it.
//
//     example_voter id=3 cluster=plant address=127.0.0.1:7003 seeds=127.0.0.1:7001,127.0.0.1:7002 journal=voter.journal
//
// Its storage is blank at first: it formats it, and prints its entry, `started ... entry=3:<storage>@127.0.0.1:7003`. It has no vote before the
// cluster knows that entry: name it to `dunlin init --voter` when the cluster is made, or later to `dunlin member add` and `promote`. A storage
// that was wiped gets another entry, and so no vote: what the voter had promised is not known any more. The same source is voter.elf
// on a board. Clusters with such voters are made with `dunlin init --ledger voter_min`.
#include "../station/line.hpp"
#include "../station/station.hpp"

#include <dunlin/node/node_memory.hpp>

namespace {

using namespace dunlin;

constexpr Duration kReportInterval = seconds{1};

// A voter on a board, with room for four other voters and some members that ask it.
constexpr Limits kLimits = [] {
    Limits limits = limits::voter_min;
    limits.peers = 8;
    limits.journal_buffer_bytes = 1024;
    return limits;
}();

// All memory of the node; sizeof is the whole bill.
NodeMemory<kLimits> memory;

class Voter {
  public:
    // Who leads and what this voter is, the station prints; there is nothing to do about it: the node votes by itself.
    void on_event(Node&, Instant, const Event&) {}

    // How far the ledger has come, at most once a second.
    Instant on_turn(Node& node, Instant now) {
        if (now < next_) return next_;
        next_ = now + kReportInterval;
        const StatusReport report = node.status(now);
        if (report.commit != commit_) {
            commit_ = report.commit;
            station::tell(now, "ledger",
                          {{"role", consensus::to_string(report.role)}, {"term", report.term.value()}, {"commit", commit_.value()}});
        }
        return next_;
    }

  private:
    LogIndex commit_{};
    Instant next_{};
};

Voter voter;

}  // namespace

int main(int argc, char** argv) { return station::run(argc, argv, memory, voter); }
