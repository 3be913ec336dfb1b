#pragma once

#include <dunlin_sim/checkers/durable_bus.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin::sim {

// Holds the packets that leave a publisher against what its subscriber has said that it takes (link/credit.hpp):
//   no more is under way than there is credit for    a message that leaves for the first time in a session has, with what left before
//                                                    it in its lane and is not settled, no more messages than the subscriber has
//                                                    ever allowed at once; the oldest of a lane always may
// Judged lane by lane, of messages: bytes, and what lanes leave each other, are for unit tests.
class CreditChecker final : public Observer {
  public:
    CreditChecker(World& world, Verdict& verdict);

    // That message is the oldest under way in its lane, or sent again: it needs no credit.
    [[nodiscard]] bool needs_none(std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence);

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;

  private:
    // Of a publisher towards a subscriber, in the publisher's last session.
    struct Pair {
        std::uint64_t session = 0;
        std::uint64_t allowed = 0;                                 // at most, over all sessions; 0: nothing was said
        StreamId stream{};                                         // as in the publisher's last hello
        std::array<SettledSequences, kLanesMax> settled{};         // as the subscriber told last, in any session
        std::array<std::vector<std::uint64_t>, kLanesMax> sent{};  // the others, ascending
        std::array<std::uint64_t, kLanesMax> last{};               // the latest that was sent
    };
    [[nodiscard]] Pair& pair(std::size_t publisher, std::size_t subscriber);
    void on_message(Instant at, std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence);
    static void on_settlement(Pair& pair, const wire::Record& record);
    [[nodiscard]] static bool is_settled(const Pair& pair, std::size_t lane, std::uint64_t sequence);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant credit_;
    std::vector<Pair> pairs_;
};

}  // namespace dunlin::sim
