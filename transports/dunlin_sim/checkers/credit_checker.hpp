#pragma once

#include <dunlin_sim/checkers/durable_bus.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <vector>

namespace dunlin::sim {

// Holds the packets that leave a publisher against what its subscriber has said that it takes (link/credit.hpp):
//   no more is under way than there is credit for    a message that leaves for the first time in a session has, with what left before
//                                                    it in its lane and is not settled, no more messages than the subscriber has
//                                                    ever allowed at once; the oldest of a lane always may,
//                                                    and another one now and then. What the publisher has lately ended by
//                                                    itself may have been lost before, and then it is not under way
// Judged lane by lane, of messages: bytes, and what lanes leave each other, are for unit tests.
class CreditChecker final : public Observer {
  public:
    CreditChecker(World& world, Verdict& verdict);

    // That message is the oldest of its lane, as far as the publisher knows: it needs no credit.
    [[nodiscard]] bool needs_none(std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence);

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;

  private:
    // What goes without credit does so one at a time: as a rule 100 ms apart, sooner where what was tried seemed to be lost.
    static constexpr std::size_t kAtOnce = 3;
    static constexpr Duration kBetween = milliseconds{20};
    static constexpr Duration kEndedFor = seconds{5};  // until then the subscriber has settled that it is to skip them
    // Of a publisher towards a subscriber, in the publisher's last session.
    struct Pair {
        std::uint64_t session = 0;
        std::uint64_t allowed = 0;                                     // at most, over all sessions; 0: nothing was said
        StreamId stream{};                                             // as in the publisher's last hello
        std::array<SettledSequences, kLanesMax> settled{};             // as the publisher has heard last, in any session
        std::array<std::set<std::uint64_t>, kLanesMax> under_way{};    // of the others, what was sent
        std::array<std::set<std::uint64_t>, kLanesMax> skipped{};      // and what the subscriber was to skip
        std::array<std::uint64_t, kLanesMax> last{};                   // the latest that was sent
        std::array<std::array<Instant, kAtOnce>, kLanesMax> beyond{};  // when the last ones were more than allowed
        std::deque<Instant> ended{};                                   // of late, by the publisher, of all lanes
    };
    [[nodiscard]] Pair& pair(std::size_t publisher, std::size_t subscriber);
    void on_message(Instant at, std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence);
    static void on_skip(Pair& pair, const wire::Record& record);
    static void on_settlement(Pair& pair, const wire::Record& record);
    [[nodiscard]] static bool is_settled(const Pair& pair, std::size_t lane, std::uint64_t sequence);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant credit_;
    std::vector<Pair> pairs_;
};

}  // namespace dunlin::sim
