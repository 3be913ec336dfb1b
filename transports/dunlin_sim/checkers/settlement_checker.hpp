#pragma once

#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace dunlin::sim {

// Holds what nodes tell each other, and their applications, of messages against what they told before and against what their
// disks hold, as though the power could go at any moment:
//   a sequence names one message     of a lane of a publisher's numbering towards a peer, over all lives of its journal
//   settlements never go back        what a subscriber has told to be settled stays so, over all lives of its journal
//   told to be settled, never run    and no handler of it runs again
//   durable before settled           with a journal, its disk knew before it was told
//   durable before an outcome is told    as the publisher's disk knew of the outcome
// A process without a journal promises for one life. A disk that is wiped has promised nothing. Disks are looked at from the
// world's first crash on: where nobody ever crashes nobody needs them.
class SettlementChecker final : public Observer {
  public:
    SettlementChecker(World& world, Verdict& verdict, DurableStates& durable);

    // A handler of this process got the message of that sequence from `publisher`.
    void handled(Instant at, std::size_t process, NodeId publisher, Lane lane, Sequence sequence);

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    // The last sequences that are remembered of a pair: several times a lane's window.
    static constexpr std::size_t kSentMax = 1024;
    struct Sent {
        std::uint64_t sequence = 0;
        std::uint64_t fingerprint = 0;  // of the message
    };
    // Whoever keeps promises: a disk, or one life of a process without one.
    struct Identity {
        std::uint32_t lives = 0;  // so far
        std::uint64_t value = 0;
    };
    // Of one process towards another, in one lane. A new life (without a journal) or a new disk starts over.
    struct Pair {
        std::uint64_t identity = 0;
        SettledSequences settled{};  // of the other one's stream, as told
        std::vector<Sent> sent{};    // by sequence modulo kSentMax; empty until something was sent
    };
    [[nodiscard]] std::uint64_t identity_of(std::size_t process);
    [[nodiscard]] std::size_t place(std::size_t process, std::size_t other);
    [[nodiscard]] Pair& pair(std::size_t process, std::size_t other, std::size_t lane);
    void note_sent(Instant at, std::size_t process, std::size_t to, std::size_t lane, const Sent& sent);
    void on_run(Instant at, std::size_t process, std::size_t to, const wire::Record& record);
    void on_settlement(Instant at, std::size_t process, std::size_t to, const wire::Record& record);
    void check_durable(Instant at, std::size_t process, std::size_t publisher, std::size_t lane, const SettledSequences& told);

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    Verdict::Invariant sequence_, back_, never_, settled_, outcome_;
    std::vector<Identity> identities_;  // by process
    // What a publisher's hellos have said to a peer, over all that it ever was: late ones count as well.
    struct Stated {
        StreamId stream{};                                                     // its numbering, as in the last one
        std::map<std::pair<StreamId, std::size_t>, std::uint64_t> resolved{};  // of each stream and lane: everything up to here
    };
    std::vector<Stated> stated_;  // by process and then by the other one
    std::vector<Pair> pairs_;     // so, and then by lane
    bool crashes_ = false;        // somebody has crashed
};

}  // namespace dunlin::sim
