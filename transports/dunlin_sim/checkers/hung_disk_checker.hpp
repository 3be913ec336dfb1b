#pragma once

#include <dunlin_sim/checkers/configurations.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <vector>

namespace dunlin::sim {

// Watches that a voter leads no longer than its disk goes on:
//   a hung leader gives way     a leader whose disk has been at one operation for the longest election timeout and kHeartbeat
//                               leads no longer than kGrace with all other voters able to: each follows it, hears it and is
//                               heard by it without a break, and its own disk goes on; and they are a majority
class HungDiskChecker {
  public:
    static constexpr Duration kHeartbeat = milliseconds{150};  // and slack: as often a leader looks
    static constexpr Duration kGrace = milliseconds{2500};     // it offers its office to one voter for half a second at a time

    HungDiskChecker(World& world, Verdict& verdict, const Configurations& configurations);

    void on_datagram(Instant at, std::size_t process, std::size_t from);  // a packet has come
    void on_event(Instant at, std::size_t process, const Event& event);
    void on_step(Instant at, std::size_t process);
    void on_crash(std::size_t process);

  private:
    struct Seen {
        explicit Seen(std::size_t processes) : heard(processes), steady_since(processes) {}

        NodeId leader{};  // that it knows
        Instant leader_since{};
        std::uint32_t operation = 0;  // that its disk is at
        Instant operation_since{};
        Instant needed_at{};                       // as leader: last seen to be needed for a majority
        std::vector<Instant> heard, steady_since;  // by process that it hears
    };
    [[nodiscard]] Seen& seen_of(std::size_t process);
    [[nodiscard]] Instant steady_since(Instant at, std::size_t process, std::size_t from);
    [[nodiscard]] Instant able_since(Instant at, std::size_t process, std::size_t leader);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant gives_way_;
    const Configurations& configurations_;
    std::vector<Seen> seen_;  // by process
};

}  // namespace dunlin::sim
