#pragma once

#include <dunlin_sim/checkers/configurations.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <dunlin/wire/record.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dunlin::sim {

// Watches what keeps a leader in office, takes it from one that has lost its majority, and brings voters of different terms
// together (Raft thesis §4.2.3, §6.2, §9.6):
//   no campaign without consent           once there was a leader, nobody raises the term before a majority has said in pre-votes that
//                                         it would vote, or the leader has handed over to it
//   a heard leader is not voted out       who heard its leader less than the shortest election timeout ago grants nobody else a vote
//   a heard leader is followed            nor does it campaign itself
//   no leader without a majority          a leader that no majority was heard by for kQuorumBound leads no more
//   a term heard is a term held           whoever hears of a newer term in an answer or from a leader is of that term afterwards
//   a stale leader is told                a leader of an older term that is heard again and again hears of the newer one within kToldBound
//   cluster time goes on                  a new leader's cluster time begins with the latest that it knew before
class ElectionChecker {
  public:
    static constexpr Duration kQuorumBound = milliseconds{1500};  // the longest election timeout, a heartbeat, and slack
    static constexpr Duration kToldBound = seconds{1};

    ElectionChecker(World& world, Verdict& verdict, const Configurations& configurations);

    [[nodiscard]] bool votes(std::size_t process) const { return configurations_.may_vote(process); }
    // Packets between those that may vote, with records of consensus; and any that reach one.
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes);
    void on_datagram(Instant at, std::size_t process, std::size_t from) { seen_[process].heard_from[from] = at; }
    void on_receive(std::size_t process, std::size_t from, std::span<const std::byte> bytes);
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event);
    void on_step(Instant at, std::size_t process, const Node& node);
    void on_crash(std::size_t process);

  private:
    // What a datagram said that is being handled.
    struct Heard {
        bool any = false;
        std::size_t from = 0;
        bool asks = false;               // for a vote, without a transfer, and nothing else
        Term newer{};                    // a term above the receiver's; 0: none
        Term stale{};                    // the term of a leader below the receiver's; 0: none
        std::uint32_t dropped = 0;       // packets that the node had refused before this one
        std::uint32_t journal_busy = 0;  // how often its journal had refused a record
    };
    struct Stale {  // a leader of an older term, not told yet
        Term term{};
        Instant since{};
    };
    struct Seen {
        consensus::Role role = consensus::Role::member;
        Instant role_since{};
        Term term{};  // told last
        // Campaigns
        Term consent_term{};
        Processes consents = 0;  // who would vote for it in that term
        Term campaign{};         // the last that was checked
        // As a follower
        NodeId leader{};         // that it knows
        NodeId leader_before{};  // before the step
        Instant leader_heard{};
        std::uint32_t appends = 0, stale_terms = 0, malformed = 0, votes_granted = 0;  // its counters
        // As a leader
        Instant overdue{};  // since when no majority is heard; 0: one is
        Instant last_step{};
        ClusterTime known_time{};
        Heard heard{};
        std::vector<Instant> heard_from;  // by process
        std::vector<Stale> stale;         // by process
    };
    void on_vote_reply(std::size_t process, std::size_t to, const wire::Record& record);
    void on_vote_request(Instant at, std::size_t process, const wire::Record& record);
    void check_heard(Instant at, std::size_t process, const Node& node, Seen& seen);
    void check_votes(Instant at, std::size_t process, const Node& node, Seen& seen);
    void check_quorum(Instant at, std::size_t process, Seen& seen);

    World& world_;
    Verdict& verdict_;
    const Configurations& configurations_;
    Verdict::Invariant consent_, sticky_, patient_, quorum_, held_, told_, time_;
    std::vector<Seen> seen_;      // by process
    bool led_ = false;            // there was a leader
    Processes told_to_lead_ = 0;  // whom leaders have told to take over: a leader may tell one after the other
};

}  // namespace dunlin::sim
