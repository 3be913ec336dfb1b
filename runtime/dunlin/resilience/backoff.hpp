#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::resilience {

// Exponential backoff with full jitter: the n-th pause (from 0) is uniform in [0, min(max, base * 2^n)], so that many
// nodes that failed together do not come back together (Brooker, "Exponential Backoff And Jitter", AWS 2015).
// base > 0, max >= base. One draw.
[[nodiscard]] Duration backoff_pause(Random& random, Duration base, Duration max, std::uint32_t attempt);

// The same, counting its attempts. 1 byte.
class Backoff {
  public:
    [[nodiscard]] Duration next(Random& random, Duration base, Duration max) {
        const Duration pause = backoff_pause(random, base, max, attempts_);
        if (attempts_ < 255) ++attempts_;
        return pause;
    }
    void reset() { attempts_ = 0; }
    [[nodiscard]] std::uint32_t attempts() const { return attempts_; }

  private:
    std::uint8_t attempts_ = 0;
};

}  // namespace dunlin::resilience
