#pragma once

#include <dunlin/consensus/configuration.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace dunlin::sim {

// A set of processes, as bits.
using Processes = std::uint64_t;
[[nodiscard]] constexpr Processes set_of(std::size_t process) { return Processes{1} << process; }
[[nodiscard]] constexpr bool is_majority(Processes some, Processes of) { return 2 * std::popcount(some & of) > std::popcount(of); }

// What becomes of members, for the marks of a run.
enum class MemberNews : std::uint8_t {
    none,
    added,              // as a learner
    promoted,           // a learner is a voter
    left,               // a voter is one no more
    left_as_leader,     // the same, and led when that was committed
    handed_over,        // a voter leads because an operator wanted it
    refused_too_early,  // a change, by a leader that had committed nothing in its term
    count_
};
using MemberNewsCounts = std::array<std::uint64_t, static_cast<std::size_t>(MemberNews::count_)>;

// Who votes, as the members entries of the log say. A change is in force at a voter once it has its entry, and then every
// earlier entry counts by it, too. What a voter has in memory and on no disk is not seen here: there, one that was asked for
// lately may be in force as well.
class Configurations {
  public:
    // `hosts`: processes that may vote some time; `founders`: those that vote first.
    Configurations(World& world, DurableStates& durable, std::vector<std::size_t> hosts, Processes founders);

    [[nodiscard]] std::span<const std::size_t> hosts() const { return hosts_; }
    [[nodiscard]] bool may_vote(std::size_t process) const { return process < 64 && (all_hosts_ >> process & 1U) != 0; }
    // A change that somebody asks for, or goes on to.
    void asked(Instant at, const consensus::ConfigChange& change);
    // The next entry, as it is committed, when `leader` leads (0: not known).
    void committed(LogIndex index, const DurableState::Entry& entry, NodeId leader);
    // The disk's log has changed. `terms`: of the committed entries, from index 1 on.
    void on_durable(std::size_t process, std::span<const Term> terms);

    // The voters as of all that is committed, and whether nobody has asked for a change that may be in force beside it.
    [[nodiscard]] Processes voters() const { return committed_.rbegin()->second; }
    [[nodiscard]] bool settled(Instant at) const { return asked_.empty() || at - asked_.back().at > kUnsyncedMax; }
    // The voters as of the committed entries up to here.
    [[nodiscard]] Processes as_of(LogIndex index) const;
    // Whether `some` are a majority of the voters by the log of this process.
    [[nodiscard]] bool majority_at(Instant at, std::size_t process, Processes some) const;
    // Whether `some` are a majority of the voters by a log that has this entry, or by the log up to it.
    [[nodiscard]] bool majority_for(Instant at, LogIndex index, Term term, Processes some, std::span<const Term> terms);

    void happened(MemberNews news) { ++news_[static_cast<std::size_t>(news)]; }
    [[nodiscard]] const MemberNewsCounts& news() const { return news_; }

  private:
    static constexpr Duration kUnsyncedMax = seconds{10};

    [[nodiscard]] Processes after(Processes voters, const consensus::ConfigChange& change) const;
    [[nodiscard]] Processes after(Processes voters, const DurableState::Entry& entry) const;
    [[nodiscard]] Processes at_end_of(const DurableState& disk, LogIndex end, std::span<const Term> terms) const;
    [[nodiscard]] bool majority_now_or_asked(Instant at, Processes some, Processes voters) const;

    World& world_;
    DurableStates& durable_;
    std::vector<std::size_t> hosts_;
    Processes all_hosts_ = 0;
    std::map<LogIndex, Processes> committed_;  // by the entry that they begin with
    std::vector<Processes> at_end_;            // by process: of the log on its disk
    struct Asked {
        Instant at{};
        consensus::ConfigChange change{};
    };
    std::vector<Asked> asked_;  // of the last kUnsyncedMax, oldest first
    MemberNewsCounts news_{};
};

}  // namespace dunlin::sim
