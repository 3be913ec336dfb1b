#pragma once

#include <dunlin/consensus/configuration.hpp>
#include <dunlin/core/counters.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin_sim/disk.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dunlin::sim {

// A short story that a World plays on virtual time: one step a line; a word that begins with # begins a comment.
//
//     nodes 5 [voters 3]                 first of all; nodes are 1, 2, ..., the first of them vote (all, unless it says how many)
//     packets 1472                       bytes of the longest packet of every node; 1200, unless said
//     seed 7                             1, unless said                          |
//     clock NODE +900ppm | +1h           its rate error; how far it is ahead     | all these
//     scarce                             tables, journals and the ledger are     | before
//                                        small: 3 sessions, 4 keys, 4 leases     | everything
//     scarce NODES                       only theirs, not the cluster's          | else
//     diskless NODE                      a member without a journal              |
//     sent NODE 4294967290               to each other node, long ago            |
//     strangers                          another cluster of this name, and a node of yet another, on a network of their own
//     loss 5%                            of all datagrams; 0%: none
//     isolate NODE · part A B · cut A B  from all; two from each other; what A sends to B vanishes, not what B sends to A
//     narrow A B 700                     no longer datagram passes between these two; 0: every one does
//     late A B 300ms                     what A sends to B takes so much longer; 0ms: no more
//     bare 50%                           of appends lose their entries, and ask about an earlier one, as a leader may say, too; 0%
//     heal                               ends all of these but loss and bare
//     keep NODE · repeat NODE            copies of what it sends from now on; all of them reach whoever they were for, once more
//     meet strangers                     their network and this one become one
//     crash · restart · pause · resume NODE
//     crash NODE [in sync] lost | torn   now, or when its disk syncs next; what is not synced is lost, or arrives in part
//     shutdown NODE                      it leaves once it has drained, after 10 s at the latest; `restart` brings it back
//     slow NODE 50ms · stall NODE 50ms   what comes to it waits so long; so does each sync of its disk; 0ms: no more
//     wipe NODE · format NODE            while it is down: its disk is blank; and then that of a newcomer
//     rot NODE middle | tail             while it is down: a bit flips in what was synced, or in what the crash left behind that
//     freeze NODE · thaw NODE            its clock stands still; it goes on
//     advance 500ms                      us, ms, s, m, h
//     subscribe NODE FILTER [durable] [fenced by LEASE] · unsubscribe NODE FILTER
//     publish NODE TOPIC [x100] [under LEASE] [lasting 500ms]     LEASE: with the token that it holds, or held last
//     acquire NODE LEASE ttl 2s · release NODE LEASE
//     put NODE KEY VALUE · ask NODE KEY  do not wait for the answer
//     demote | promote NODE through NODE the second one asks for that change of the first; does not wait either
//     remember leader                    and its term
//     expect [within 10s] [not] CONDITION         now; within: runs forward until it holds. Where its words
//                                        mean nobody it does not hold, with `not` neither
//
//     CONDITION:  leader among NODES     one of them leads, and each of them says so
//                 leader none at NODES   each of them knows no leader
//                 leader remembered      every node that runs follows it, in the same term
//                 term remembered at NODES
//                 subscribers NODE TOPIC 2        that NODE knows of
//                 delivered 100 [duplicates 0] [at NODE]      messages that handlers saw; how often they saw one again
//                 outcome expired 1      outcomes told to publishers, by name as in core/event.hpp; for two of them shorter:
//                 acknowledged | fenced 1
//                 settled                every publish has all its outcomes
//                 holder NODE LEASE      it is sure to hold it
//                 put NODE ok            how its last put ended: a status, `waiting` or `crashed`
//                 change NODE ok         how the last change of members that it asked for ended, likewise
//                 get NODE KEY VALUE | nothing    asks, and waits for the answer
//                 answer NODE VALUE | nothing     to what it asked last
//                 down NODE              it does not run
//                 stopped NODE blank     it failed by itself: the status
//                 counter NAME below 50  of the nodes that run, together; NAME as in core/counters.hpp
//                 conflict NODE          it was told that another journal has its id
//
//     NODE:   2 · leader · holder LEASE · it (whom `leader` or `holder` named last)
//     NODES:  2 3 · leader · it · others (the voters but it)
//
// Node N is process N - 1 in what checkers say.

// What is wrong with a scenario's text, or at which step it failed: "paused_holder.txt:12: ...".
class ScenarioError : public std::runtime_error {
  public:
    ScenarioError(std::string_view file, std::size_t line, std::string_view what)
        : std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + std::string(what)) {}
};

struct Who {
    enum class Kind : std::uint8_t { number, leader, holder, it };
    Kind kind = Kind::number;
    std::size_t process = 0;
    std::string lease{};
};
struct Group {
    bool others = false;
    std::vector<Who> nodes{};
};

struct LeaderAmong {
    Group nodes;
};
struct LeaderNone {
    Group nodes;
};
struct LeaderRemembered {};
struct TermRemembered {
    Group nodes;
};
struct Subscribers {
    Who node;
    std::string topic;
    std::uint64_t count;
};
struct Delivered {
    std::uint64_t count;
    std::optional<std::uint64_t> duplicates;
    std::optional<Who> node;
};
struct OutcomesTold {
    Outcome outcome;
    std::uint64_t count;
};
struct Settled {};
struct Holds {
    Who node;
    std::string lease;
};
struct PutEnded {
    Who node;
    std::string status;
};
struct ChangeEnded {
    Who node;
    std::string status;
};
struct GetReturns {
    Who node;
    std::string key;
    std::string value;
};
struct Answered {
    Who node;
    std::string value;
};
struct Down {
    Who node;
};
struct Stopped {
    Who node;
    std::string status;
};
struct Conflict {
    Who node;
};
struct CounterBelow {
    Counter counter;
    std::uint64_t limit;
};
using Condition = std::variant<LeaderAmong, LeaderNone, LeaderRemembered, TermRemembered, Subscribers, Delivered, OutcomesTold, Settled,
                               Holds, PutEnded, ChangeEnded, GetReturns, Answered, Down, Stopped, Conflict, CounterBelow>;

struct SetLoss {
    std::uint32_t ppm;
};
struct SetBare {
    std::uint32_t ppm;
};
struct Heal {};
struct Meet {};
struct Late {
    Who from, to;
    Duration by;
};
struct Copies {
    Who node;
    bool repeat;
};
struct Cut {
    Who from, to;
    bool both;
};
struct Narrow {
    Who one, other;
    std::uint32_t bytes;
};
struct Strike {
    enum class Kind : std::uint8_t {
        isolate,
        crash,
        restart,
        shutdown,
        pause,
        resume,
        wipe,
        format,
        rot_middle,
        rot_tail,
        freeze,
        thaw,
    };
    Kind kind;
    Who node;
};
struct CrashLosing {
    Who node;
    Unsynced fate;
    bool in_sync;
};
struct Slow {
    Who node;
    Duration by;
    bool disk;
};
struct Advance {
    Duration time;
};
struct Subscribe {
    Who node;
    std::string filter;
    bool durable;
    std::string fence;
};
struct Unsubscribe {
    Who node;
    std::string filter;
};
struct Publish {
    Who node;
    std::string topic;
    std::uint64_t count;
    std::string lease;
    Duration lasting;
};
struct Acquire {
    Who node;
    std::string lease;
    Duration ttl;
};
struct Release {
    Who node;
    std::string lease;
};
struct Put {
    Who node;
    std::string key, value;
};
struct Ask {
    Who node;
    std::string key;
};
struct ChangeMember {
    Who about;
    consensus::ChangeOp op;
    Who through;
};
struct Remember {};
struct Expect {
    Duration within;
    bool negated;
    Condition condition;
};
using Action = std::variant<SetLoss, SetBare, Heal, Meet, Cut, Narrow, Late, Copies, Strike, CrashLosing, Slow, Advance, Subscribe,
                            Unsubscribe, Publish, Acquire, Release, Put, Ask, ChangeMember, Remember, Expect>;

struct Step {
    std::size_t line;
    std::string text;
    Action action;
};
struct NodeSetup {
    Duration clock_offset{};
    std::int64_t clock_rate_ppm = 0;
    std::uint64_t sent = 0;  // messages, to each other node
    bool scarce = false;     // it alone
    bool diskless = false;
};
struct Scenario {
    std::string file;
    std::uint64_t seed = 1;
    std::size_t voters = 0;
    std::uint16_t packet_bytes = 1200;
    bool scarce = false;  // the cluster
    bool strangers = false;
    std::vector<NodeSetup> nodes{};
    std::vector<Step> steps{};
};

// Reads all of it. Throws ScenarioError at the first line that cannot be read. `file`: as errors name it.
[[nodiscard]] Scenario parse_scenario(std::string_view file, std::string_view text);

}  // namespace dunlin::sim
