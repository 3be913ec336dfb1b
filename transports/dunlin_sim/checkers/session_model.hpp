#pragma once

#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/ledger/ledger.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace dunlin::sim {

// The rules of ledger sessions told a second time, apart from the ledger's code:
//   a retry is answered, not executed    a sequence at or below its session's last is answered, not executed; any other one runs
//   a session that is gone stays gone    one whose row another one took is never opened again, whoever asks for it
//   who was idle longest is evicted      and only where the table is full; commands of a session that is there are not refused
class SessionModel {
  public:
    SessionModel(Verdict& verdict, const LedgerLimits& limits);

    // The next committed command, and how the ledger took it. True: it was executed.
    // `opening`: its body, if it opens a session.
    bool applied(Instant at, LogIndex index, const ledger::CommandHead& head, const ledger::OpenSessionCommand* opening,
                 const ledger::ApplyResult& result);
    // The next committed change of members: it is done in any case, and its session, if there is one, remembers the answer.
    void members_changed(LogIndex index, const ledger::CommandHead& head, const ledger::CommandResult& answer);

  private:
    struct Session {
        std::uint64_t id = 0;
        std::uint64_t sequence = 0;
        std::uint64_t last_used = 0;
        std::uint16_t node = 0;
        ledger::CommandResult answer{};  // to that sequence
    };
    [[nodiscard]] Session* find(std::uint64_t id);
    [[nodiscard]] Status open(LogIndex index, const ledger::CommandHead& head, std::uint64_t as_of);

    Verdict& verdict_;
    Verdict::Invariant once_, gone_, evicted_;
    std::size_t sessions_max_;
    std::vector<Session> sessions_;
    std::map<std::uint64_t, std::uint64_t> gone_last_used_;  // by id, of the sessions that are gone
};

}  // namespace dunlin::sim
