#pragma once

#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <tuple>

namespace dunlin::sim {

// What a handler wants later comes back later each time, not more often than the retry budget allows, and not for ever.
//   retries back off            the n-th pause is drawn from [0, 10 ms * 2^n], at most a second. A draw may be short; but kRuns runs of one
//                               message within kAtLeast come by chance once in 10^11 times, and of pauses that do not grow they are the rule
//   retries keep to their budget    in no stretch of time are handlers asked again for one publisher's messages more often than ten times a
//                               second, once for ten first times, and a burst of twenty; a tenth more for clocks that run fast
//   retries end                 nobody is asked more often than `attempts_max` times for one message
class BackoffChecker {
  public:
    BackoffChecker(Verdict& verdict, std::size_t attempts_max)
        : verdict_(verdict),
          attempts_max_(attempts_max),
          spaced_(verdict.expect("retries back off", Verdict::Occasion::rare)),
          paid_(verdict.expect("retries keep to their budget", Verdict::Occasion::rare)),
          ended_(verdict.expect("retries end", Verdict::Occasion::rare)) {}

    // A handler ran and said `said`.
    void handled(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said);

  private:
    static constexpr std::size_t kRuns = 11;
    static constexpr Duration kAtLeast = milliseconds{60};
    static constexpr double kRetriesASecond = 11;
    static constexpr double kBurst = 20;
    using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, MessageKey>;  // process, its life, subscription
    using PeerKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;          // process, its life, publisher
    struct Runs {
        std::array<Instant, kRuns> at{};  // by number modulo kRuns
        std::size_t count = 0;
    };
    // Of one publisher at one process: retries beyond what was paid for until then.
    struct Spent {
        Instant at{};
        double retries = 0;
    };
    void check_budget(Instant at, const Receiver& receiver, const MessageKey& key, bool again);

    Verdict& verdict_;
    std::size_t attempts_max_;
    Verdict::Invariant spaced_, paid_, ended_;
    std::map<Key, Runs> waiting_;
    std::map<PeerKey, Spent> spent_;
};

}  // namespace dunlin::sim
