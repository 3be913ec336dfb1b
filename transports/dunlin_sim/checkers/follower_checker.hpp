#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <vector>

namespace dunlin::sim {

// Watches what a voter makes of each append (Raft §5.3):
//   commits what it was shown   it takes for committed no more than the leader says is, and of that no more than what this append has
//                               shown to be equal: its own log may go on with what another leader wrote
class FollowerChecker {
  public:
    FollowerChecker(World& world, Verdict& verdict);

    // A packet between voters with records of consensus.
    void on_receive(std::size_t process, std::span<const std::byte> bytes);
    void on_event(std::size_t process, const Event& event);
    void on_step(Instant at, std::size_t process, const Node& node);
    void on_crash(std::size_t process);

  private:
    struct Seen {
        std::uint32_t progress = 0;  // of the counter of committed entries
        LogIndex commit{};           // after the last step that changed it
        LogIndex shown{};            // by the packet that is being handled
        LogIndex image{};            // how far images go that it was sent: installed later
        bool recovered = false;      // its commit was seen in this life
        bool leads = false;
        bool led = false;  // at any time since the last step: a leader counts for itself
    };
    [[nodiscard]] Seen& seen_of(std::size_t process);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant shown_;
    std::vector<Seen> seen_;  // by process
};

}  // namespace dunlin::sim
