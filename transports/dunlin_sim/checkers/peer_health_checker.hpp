#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <utility>
#include <vector>

namespace dunlin::sim {

// Holds what each node says of its peers' health against what it has heard of them (docs/guarantees.md, "Failure detection"):
//   silence is reported in time    a peer that was not heard for FailureDetector::detection_bound() is dead
//   who is heard is not dead
//   a goodbye is no suspicion      who said so is neither suspect nor dead
//   suspected before dead          as long as the node is awake to notice
// A process that stood still, or to which all comes late, cannot tell in time; it is asked again once it can. Each process
// is looked at ten times a second.
class PeerHealthChecker final : public Observer {
  public:
    PeerHealthChecker(World& world, Verdict& verdict);

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    struct Watcher {
        Instant stepped{};                          // last
        Instant awake_since{};                      // without a gap between its steps
        Instant looked{};                           // at its peers, last
        std::map<std::uint16_t, EventKind> told{};  // of its peers, last
    };
    [[nodiscard]] Watcher& watcher_of(std::size_t process);
    [[nodiscard]] bool awake(Instant at, std::size_t process, const Watcher& watcher) const;
    void check_peer(Instant at, std::size_t process, const PeerReport& peer);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant silence_, heard_, goodbye_, suspected_;
    std::vector<Watcher> watchers_;  // by process
};

}  // namespace dunlin::sim
