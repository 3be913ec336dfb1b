#pragma once

#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin::sim {

// Plays applications that keep what their handlers do as a list, and its length as their receive position: after a crash
// they go on from the position that their node has recovered. Of durable subscriptions of nodes with a journal:
//   effects are kept once    no message runs again whose effect was kept, and the effect of what was acknowledged is kept
class EffectChecker {
  public:
    explicit EffectChecker(Verdict& verdict);

    // A handler has accepted a message, or completed it so. Returns the position to store with it.
    [[nodiscard]] std::uint64_t kept(Instant at, const Receiver& receiver, const MessageKey& key);
    // Its publisher was told so.
    void acknowledged(Instant at, std::uint32_t process, SubscriptionId subscription, const MessageKey& key);
    // The process is back, with this position.
    void recovered(Instant at, std::uint32_t process, std::uint64_t position);

  private:
    enum class State : std::uint8_t { none, kept, acknowledged };
    // Of one publisher's stream at one subscription, by number.
    struct Stream {
        SubscriptionId subscription{};
        std::uint32_t publisher = 0;
        std::uint32_t life = 0;
        std::vector<State> states{};
    };
    struct Effect {
        std::size_t stream = 0;
        std::uint64_t number = 0;
    };
    struct Effects {
        std::vector<Effect> list{};
        std::vector<Stream> streams{};
    };
    [[nodiscard]] Effects& effects_of(std::uint32_t process);
    [[nodiscard]] static std::size_t stream_of(Effects& effects, SubscriptionId subscription, const MessageKey& key);

    Verdict& verdict_;
    Verdict::Invariant once_;
    std::vector<Effects> effects_;  // by process
};

}  // namespace dunlin::sim
