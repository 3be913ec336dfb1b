#pragma once

#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dunlin::sim {

// What the checkers of a run have found. Each check is counted under its invariant: one that never had anything to check
// proves nothing.
class Verdict {
  public:
    using Invariant = std::size_t;
    // Whether one calm run of a minute must give it something to check, or only many runs with crashes.
    enum class Occasion : std::uint8_t { always, rare };
    struct Tally {
        std::string name;
        std::uint64_t checks = 0;
        Occasion occasion = Occasion::always;
    };

    // A sentence that must hold, such as "one leader a term".
    [[nodiscard]] Invariant expect(std::string name, Occasion occasion = Occasion::always) {
        tallies_.push_back({std::move(name), 0, occasion});
        return tallies_.size() - 1;
    }
    // Counts one check; where it does not hold, keeps what `sentence()` says happened.
    template <class Sentence>
    void check(Invariant invariant, bool holds, Instant at, const Sentence& sentence) {
        ++tallies_[invariant].checks;
        if (!holds) violated(invariant, at, sentence());
    }

    [[nodiscard]] bool clean() const { return violations_.empty(); }
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }  // the first few, in order
    [[nodiscard]] const std::string& first_violated() const { return first_violated_; }       // its sentence; empty: none was
    [[nodiscard]] const std::vector<Tally>& tallies() const { return tallies_; }

  private:
    static constexpr std::size_t kViolationsMax = 20;
    void violated(Invariant invariant, Instant at, const std::string& sentence) {
        if (violations_.empty()) first_violated_ = tallies_[invariant].name;
        if (violations_.size() == kViolationsMax) return;
        violations_.push_back("'" + tallies_[invariant].name + "' violated at " + std::to_string(at.time_since_epoch().count()) +
                              " us: " + sentence);
    }

    std::vector<Tally> tallies_;
    std::vector<std::string> violations_;
    std::string first_violated_;
};

}  // namespace dunlin::sim
