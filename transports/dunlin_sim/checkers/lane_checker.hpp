#pragma once

#include <dunlin_sim/checkers/credit_checker.hpp>
#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <dunlin/core/lane.hpp>
#include <dunlin/link/lane_scheduler.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace dunlin::sim {

// Holds the packets that leave a process against the rule by which lanes take turns (link/lane_scheduler.hpp):
//   urgent does not wait behind the others    between the publish of an urgent message and the packet that it first leaves in
//                                             towards a peer, no more packets with messages of other lanes leave towards that
//                                             peer than their turns, however many wait there and whatever was lost
//   no lane waits for ever    between the publish of a message of another lane, the last packet of that lane or the last settlement of
//                             it, and the packet that the message first leaves in towards a peer, no more urgent packets leave towards
//                             that peer than come before a turn
// Judged where nothing but the link can hold a message back. For no lane to wait for ever: what needs no credit
// (CreditChecker::needs_none()), of a publisher with a journal from when that has it on its disk. For urgent not to wait: behind what has
// used some credit (not the further fragments of a message, which go on while urgent waits for credit), of a publisher without a
// journal; one with a journal that starts again sends first by the normal lane what went there before, and opens the others when that
// is settled.
class LaneChecker final : public Observer {
  public:
    // Made after `credits`: it sees packets first.
    LaneChecker(World& world, Verdict& verdict, CreditChecker& credits, DurableStates& durable);

    // The process has published this number of its workload; `in_journal`: as which its journal knows it, 0: it has none.
    void published(std::size_t process, std::uint64_t number, Lane lane, PublishId in_journal);

    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    static constexpr std::size_t kWaitingMax = 256;   // of a process; beyond, the oldest is forgotten
    static constexpr std::uint64_t kOthersMax = 4;    // packets in their turn at once
    static constexpr std::uint64_t kOthersShare = 4;  // and one more in so many urgent ones, twice what is theirs
    // Urgent packets before a lane's turn; and one of normal may come before that of bulk.
    static constexpr std::uint64_t kPassedMax = link::LaneScheduler::kTurn;
    static constexpr std::uint64_t kPassedWithJournal = 2 * kPassedMax;  // the node learns of what its disk has a little later

    // Packets with messages, of one process to another, since its world began.
    struct Sent {
        std::uint64_t urgent = 0;
        std::uint64_t others = 0;
        std::array<std::uint64_t, kLanesMax> urgent_at_last{};  // by lane: as of its last packet or settlement
    };
    struct Waiting {
        Lane lane = Lane::normal;
        PublishId in_journal{};  // 0: it needs no journal, or its disk has it
        bool journalled = false;
        std::vector<Sent> since;  // by peer, as of the publish, or of when it was durable
        std::vector<bool> left;   // by peer: it was sent there
    };
    void resize();
    void take_durable(std::size_t process);
    void check_first(Instant at, std::size_t process, std::size_t to, std::uint64_t number, Lane lane, bool used_credit);
    void check_urgent(Instant at, std::size_t process, std::size_t to, std::uint64_t number, const Sent& since);
    void check_turn(Instant at, std::size_t process, std::size_t to, std::uint64_t number, const Waiting& waiting);

    World& world_;
    Verdict& verdict_;
    CreditChecker& credits_;
    DurableStates& durable_;
    Verdict::Invariant waits_, turns_;
    std::vector<std::vector<Sent>> sent_;                    // by process and peer
    std::vector<std::map<std::uint64_t, Waiting>> waiting_;  // by process and number
    std::vector<std::uint64_t> syncs_;                       // by process: of its disk, as of the last look
};

}  // namespace dunlin::sim
