#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <vector>

namespace dunlin::sim {

// What a message was given to live when it left counts on the subscriber's clock from when it arrived:
//   no handler gets what is over    of several copies, the one that lasts longest counts
//   no lifetime grows               whatever a handler gets had no longer to live than its publisher gave it, also over his restarts
class ExpiryChecker final : public Observer {
  public:
    // `lifetime`: of every message that has one.
    ExpiryChecker(World& world, Verdict& verdict, Duration lifetime);

    // A handler of this process got the message of that sequence from `publisher`.
    void handled(Instant at, std::size_t process, NodeId publisher, Lane lane, Sequence sequence);

    void on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) override;

  private:
    // The last sequences that are remembered of a pair: several times a lane's window.
    static constexpr std::size_t kArrivedMax = 1024;
    struct Arrived {
        std::uint64_t sequence = 0;
        Instant expires{};  // on the subscriber's clock
        Duration left{};    // the least that a copy had; 0: no lifetime
    };
    using Arrivals = std::vector<Arrived>;  // by sequence modulo kArrivedMax; empty until something came
    void on_run(Instant now, Arrivals& arrivals, const wire::Record& record);
    [[nodiscard]] Arrivals& arrivals(std::size_t process, std::size_t from, std::size_t lane);

    World& world_;
    Verdict& verdict_;
    Duration lifetime_;
    Verdict::Invariant over_, grows_;
    std::vector<Arrivals> arrivals_;  // by process and then by the publisher
};

}  // namespace dunlin::sim
