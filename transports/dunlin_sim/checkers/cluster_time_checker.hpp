#pragma once

#include <dunlin_sim/checkers/durable_state.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin::sim {

// Watches cluster time in the first seconds of each term, when a new leader's clock starts over:
//   no follower is ahead of its leader     a voter whose log ends in the leader's term knows no later cluster time than the leader
class ClusterTimeChecker final : public Observer {
  public:
    ClusterTimeChecker(World& world, Verdict& verdict, DurableStates& durable)
        : world_(world), verdict_(verdict), durable_(durable), ahead_(verdict.expect("no follower is ahead of its leader")) {
        world.observe(*this);
    }
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;

  private:
    static constexpr Duration kFirstSeconds = seconds{2};

    World& world_;
    Verdict& verdict_;
    DurableStates& durable_;
    Verdict::Invariant ahead_;
    Instant until_{};  // when the first seconds of the latest term are over
    Term term_{};
    std::size_t leader_ = 0;
    std::vector<std::uint32_t> appends_;  // received, as last seen, by process
};

}  // namespace dunlin::sim
