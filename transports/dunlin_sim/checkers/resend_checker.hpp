#pragma once

#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/bus/message.hpp>
#include <dunlin/core/event.hpp>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace dunlin::sim {

// Watches effects that applications publish again and again under one explicit key, from several processes, until a deadline
// that all copies share:
//   one effect a key         in one life of its process a subscription's handler ends one message of a key; where its journal keeps
//                            keys and a publisher was told of the effect, in no later life either
//   repeats of a key are marked    a later life that runs one again says so
//   told means had           what was acknowledged under a key, some handler of that subscription has accepted; rejected, likewise
//   every copy ends          each publish has its outcomes (open())
// A publisher that goes on from its journal moves the deadline of what it has still to send: nothing is said of such effects.
// Where later copies have a later deadline, the key is known until the latest one of those that are known to have come: a copy
// after that may have the effect again.
class ResendChecker {
  public:
    explicit ResendChecker(Verdict& verdict);

    // Another effect is wanted: its number, from 1.
    [[nodiscard]] std::uint64_t wanted(Instant deadline);
    [[nodiscard]] std::uint64_t effects() const { return effects_.size(); }
    [[nodiscard]] Instant deadline(std::uint64_t number) const { return effects_[number - 1].deadline; }
    // Copies from now on have this later deadline.
    void prolong(std::uint64_t number, Instant deadline);
    [[nodiscard]] bool prolonged(std::uint64_t number) const { return effects_[number - 1].prolonged; }
    // Some copy of it may rightly have the effect again.
    [[nodiscard]] bool may_repeat(std::uint64_t number) const { return effects_[number - 1].moved || prolonged(number); }

    void published(std::uint32_t process, std::uint64_t number, const bus::Published& published);
    // The process has given this id to another publish: the one that had it was lost in a crash.
    void given_again(std::uint32_t process, PublishId id) { copies_.erase({process, id.value()}); }
    void handled(Instant at, const Receiver& receiver, std::uint64_t number, const bus::Message& message, bus::Verdict said);
    void completed(const Receiver& receiver, std::uint64_t number, bus::Verdict said);
    // An Event::outcome at this process. The number of its effect; 0: it is of another publish.
    [[nodiscard]] std::uint64_t outcome(Instant at, std::uint32_t process, const Event& event);
    // `durable`: what it published and did not lose goes on after its restart.
    void crashed(std::uint32_t process, bool durable);
    // Copies whose outcomes are still to come.
    [[nodiscard]] std::uint64_t open() const;

  private:
    // What is known of one effect at one subscription; of a volatile one, in one life.
    struct Place {
        std::uint16_t node = 0;
        std::uint32_t subscription = 0;
        std::uint32_t life = 0;  // of the last run
        std::uint32_t runs = 0;
        Instant known_until{};  // the latest deadline of copies that are known to have come
        bool accepted = false;
        bool rejected = false;
        bool told = false;
    };
    struct Effect {
        Instant deadline{};        // of copies from now on
        Instant first_deadline{};  // no copy has an earlier one
        bool moved = false;
        bool prolonged = false;
        std::vector<Place> places{};
    };
    struct Copy {
        std::uint64_t number = 0;
        Instant deadline{};
        std::uint16_t outcomes_left = 0;
        bool lost = false;  // perhaps: its process crashed
    };

    [[nodiscard]] Place& place_of(const Receiver& receiver, std::uint64_t number);
    static void decide(Place& place, bus::Verdict said);

    Verdict& verdict_;
    Verdict::Invariant once_, marked_, had_;
    std::vector<Effect> effects_;                                     // by number - 1
    std::map<std::pair<std::uint32_t, std::uint64_t>, Copy> copies_;  // by process and PublishId
};

}  // namespace dunlin::sim
