#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace dunlin::sim {

// Watches how nodes tell each other what they listen to, in packets:
//   advertisements back off   what was said and is not acknowledged is said again, but not within kPauseMin on the sender's clock
class AdvertChecker {
  public:
    static constexpr Duration kPauseMin = milliseconds{199};  // and a millisecond for the granularity of timers

    AdvertChecker(World& world, Verdict& verdict);

    // A session that opened begins anew.
    void on_event(std::size_t process, const Event& event);
    // A packet with subscribe or unsubscribe; and one with subscriptions_acked.
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes);
    void on_acked(std::size_t process, std::size_t from) { said_[{process, from}].last.clear(); }

  private:
    struct Said {
        std::uint64_t session = 0;
        std::map<std::uint32_t, Instant> last{};  // in this session, by generation
    };

    World& world_;
    Verdict::Invariant back_off_;
    Verdict& verdict_;
    std::map<std::pair<std::size_t, std::size_t>, Said> said_;  // by process and whom it tells
};

}  // namespace dunlin::sim
