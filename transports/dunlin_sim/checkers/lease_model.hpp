#pragma once

#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/ledger/ledger.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dunlin::sim {

// The rules of leases told a second time, apart from the ledger's code, which is held against them entry by
// entry as the log commits:
//   each grant has a token of its own      the log index of the grant, above every token of that lease before
//   a held lease is granted to nobody else   what is held, until its deadline, is refused; what is free is granted while there is a row
//   a lease ends by release or deadline    its holder's release frees it at once; else it stays as granted or renewed, and its deadline ends it
class LeaseModel {
  public:
    LeaseModel(Verdict& verdict, const LedgerLimits& limits);

    // Each entry: begin() with the cluster time as of it, then what it asks for, then end().
    void begin(Instant at, LogIndex index, std::uint64_t cluster_time);
    // A command that was executed, and how it ended.
    void acquired(const ledger::CommandHead& head, const ledger::AcquireCommand& command, const ledger::CommandResult& result);
    void released(const ledger::CommandHead& head, const ledger::ReleaseCommand& command, const ledger::CommandResult& result);
    void renewed(std::span<const std::byte> payload);
    // `ledger` has applied the entry.
    void end(const ledger::Ledger& ledger);

  private:
    struct Lease {
        std::string name;
        std::uint64_t token = 0;  // 0: the row is free
        std::uint64_t deadline = 0;
        std::uint64_t ttl_us = 0;
        std::uint32_t holder_epoch = 0;
        std::uint16_t holder = 0;
    };
    [[nodiscard]] Lease* find(std::string_view name);
    [[nodiscard]] bool overdue(const Lease& lease) const { return lease.token != 0 && lease.deadline <= time_; }
    [[nodiscard]] bool full() const;
    void check_refusal(const Lease& lease, const ledger::CommandHead& head, const ledger::CommandResult& result);
    [[nodiscard]] std::string text(std::string_view name) const;

    Verdict& verdict_;
    Verdict::Invariant token_, exclusive_, ends_;
    std::vector<Lease> leases_;                    // by slot
    std::map<std::string, std::uint64_t> tokens_;  // the highest of each name
    Instant at_{};
    LogIndex index_{};
    std::uint64_t time_ = 0;  // cluster time, microseconds
};

}  // namespace dunlin::sim
