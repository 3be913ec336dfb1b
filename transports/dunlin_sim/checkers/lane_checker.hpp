#pragma once

#include <dunlin_sim/checkers/credit_checker.hpp>
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
// Judged where nothing but the link can hold a message back: of publishers without a journal; and where credit cannot: urgent does not
// wait behind what has used some, and what needs none does not wait for ever (CreditChecker::needs_none()).
class LaneChecker final : public Observer {
  public:
    LaneChecker(World& world, Verdict& verdict, CreditChecker& credits);  // made after it: it sees packets first

    // The process, which has no journal, has published this number of its workload.
    void published(std::size_t process, std::uint64_t number, Lane lane);

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    static constexpr std::size_t kWaitingMax = 256;   // of a process; beyond, the oldest is forgotten
    static constexpr std::uint64_t kOthersMax = 4;    // packets in their turn at once
    static constexpr std::uint64_t kOthersShare = 4;  // and one more in so many urgent ones, twice what is theirs
    // Urgent packets before a lane's turn; and one of normal may come before that of bulk.
    static constexpr std::uint64_t kPassedMax = link::LaneScheduler::kTurn;

    // Packets with messages, of one process to another, since its world began.
    struct Sent {
        std::uint64_t urgent = 0;
        std::uint64_t others = 0;
        std::array<std::uint64_t, kLanesMax> urgent_at_last{};  // by lane: as of its last packet or settlement
    };
    struct Waiting {
        Lane lane = Lane::normal;
        std::vector<Sent> since;  // by peer, as of the publish
        std::vector<bool> left;   // by peer: it was sent there
    };
    void resize();
    void check_first(Instant at, std::size_t process, std::size_t to, std::uint64_t number, Lane lane, bool used_credit);
    void check_urgent(Instant at, std::size_t process, std::size_t to, std::uint64_t number, const Sent& since);
    void check_turn(Instant at, std::size_t process, std::size_t to, std::uint64_t number, Lane lane, const Sent& since);

    World& world_;
    Verdict& verdict_;
    CreditChecker& credits_;
    Verdict::Invariant waits_, turns_;
    std::vector<std::vector<Sent>> sent_;                    // by process and peer
    std::vector<std::map<std::uint64_t, Waiting>> waiting_;  // by process and number
};

}  // namespace dunlin::sim
