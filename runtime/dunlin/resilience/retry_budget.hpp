#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::resilience {

// How often what failed may be tried again: once for every ten first attempts and at most ten times a second, of which a burst of
// twenty may be saved up (docs/decisions/0011; the retry budgets of Finagle and gRPC). So however many fail at once, retries add a tenth
// to the load and a trickle, where backoff alone lets them grow with the number of those that wait.
//
// A retry costs one to one and a half tokens, by chance: where more wait than there are tokens each is taken as soon as it is there,
// so budgets that were spent at the same moment would else be in step for ever, and with them all nodes.
//
// A token bucket, kept as the moment when it will be full again, in 16 bits of units of 2 ms, which come round every two minutes.
// A budget that nobody touched meanwhile may then be taken for one that was spent within the last two seconds, which makes it wait
// where it need not. Integers alone, O(1), 2 bytes.
class RetryBudget {
  public:
    static constexpr std::int64_t kSendsPerRetry = 10;
    static constexpr std::int64_t kBurst = 20;
    static constexpr Duration kTimePerRetry{50 << 11};  // 102.4 ms

    // Something was tried for the first time.
    void on_sent(Instant now);
    // May something be tried again? Where true, it is paid for.
    [[nodiscard]] bool take(Instant now, Random& random);
    // Until take() will be granted, if nothing else is sent or taken; 0: now.
    [[nodiscard]] Duration wait(Instant now) const;

  private:
    [[nodiscard]] std::uint16_t missing(Instant now) const;

    std::uint16_t full_at_low_ = 0;  // units
};
static_assert(sizeof(RetryBudget) == 2);

}  // namespace dunlin::resilience
