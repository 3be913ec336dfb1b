#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace dunlin::sim {

// Two processes of other clusters on the same network, configured with the addresses of this one: a voter that leads its own
// cluster under the id of process 0 here, and a member with an id that is unknown here. They dial, subscribe to everything and
// would publish. Watches:
//   no session with another cluster     neither of them ever opens one
class ForeignCluster {
  public:
    static constexpr std::size_t kProcesses = 2;

    // Only the invariant; build() adds the processes.
    explicit ForeignCluster(Verdict& verdict) : verdict_(verdict), strangers_(verdict.expect(kInvariant, Verdict::Occasion::rare)) {}
    ForeignCluster(const ForeignCluster&) = delete;
    ForeignCluster& operator=(const ForeignCluster&) = delete;

    // After all processes of the world, which has room for kProcesses more. `name`: of the voter's cluster. It may be the name of
    // the cluster here, so that only its incarnation differs, where every process here stays bound to that over a crash. (The
    // member's has a name of its own: as long as it has met nobody, it belongs to the first cluster of its name.)
    void build(World& world, std::string name);
    void start();  // apart from everybody here
    void meet();   // the networks become one
    void stop();   // both are gone

    void on_event(Instant at, const Event& event);

  private:
    static constexpr const char* kInvariant = "no session with another cluster";

    void sever(bool on);

    Verdict& verdict_;
    Verdict::Invariant strangers_;
    World* world_ = nullptr;
    std::string name_;
    std::array<std::size_t, kProcesses> processes_{};
};

}  // namespace dunlin::sim
