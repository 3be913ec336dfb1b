#pragma once

#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <map>
#include <vector>

namespace dunlin::sim {

// Watches processes that are told to shut down, and those who hear their goodbye (LeaseChecker and PeerHealthChecker say more):
//   a goodbye comes last         who has drained was told every outcome of its publishes
//   leadership is handed on      nobody leaves as the leader, unless nobody took over for an election timeout
//   nothing waits for who left   what a handler of a volatile subscription had in hand there ends for its publisher
class DepartureChecker final : public Observer {
  public:
    DepartureChecker(World& world, Verdict& verdict, const DeliveryChecker& delivery);

    // Its disk is not that of its publishes, until it is again: nothing is known of what is owed to it.
    void leave_out(std::size_t process, bool out) { watcher_of(process).left_out = out; }

    void on_drained(Instant at, std::size_t process, const Node& node, Duration took) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    struct Watcher {
        bool left_out = false;
        Instant stepped{};                        // last
        Instant looked{};                         // at its peers, last
        std::uint64_t operation = 0;              // of its disk, at that look; 0: none
        std::map<std::uint16_t, Instant> left{};  // its peers that have left, and since when it has been awake to know it
    };
    [[nodiscard]] Watcher& watcher_of(std::size_t process);
    void check_peer(Instant at, std::size_t process, Watcher& watcher, const PeerReport& peer);

    World& world_;
    Verdict& verdict_;
    const DeliveryChecker& delivery_;
    Verdict::Invariant last_, handed_on_, waits_;
    std::vector<Watcher> watchers_;  // by process
};

}  // namespace dunlin::sim
