#pragma once

#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <tuple>

namespace dunlin::sim {

// What a handler wants later comes back later each time (protocol.md §4): the n-th pause is drawn from [0, 10 ms * 2^n], at
// most a second. A draw may be short, and what else waits in the lane may bring a message back early; but kRuns in a row
// within kAtLeast come by chance once in 10^11 times, and of pauses that do not grow they are the rule.
//   retries back off    so many runs of one message take so long
class BackoffChecker {
  public:
    explicit BackoffChecker(Verdict& verdict) : verdict_(verdict), spaced_(verdict.expect("retries back off", Verdict::Occasion::rare)) {}

    // A handler ran and said `said`.
    void handled(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said);

  private:
    static constexpr std::size_t kRuns = 11;
    static constexpr Duration kAtLeast = milliseconds{60};
    using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, MessageKey>;  // process, its life, subscription
    struct Runs {
        std::array<Instant, kRuns> at{};  // by number modulo kRuns
        std::size_t count = 0;
    };

    Verdict& verdict_;
    Verdict::Invariant spaced_;
    std::map<Key, Runs> waiting_;
};

}  // namespace dunlin::sim
