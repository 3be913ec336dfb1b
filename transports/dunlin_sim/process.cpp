#include <dunlin_sim/process.hpp>

namespace dunlin::sim {

Instant Process::true_time(Instant local_time) const {
    if (local_time == kNever) return kNever;
    const std::int64_t us = (local_time - setup.clock_offset).time_since_epoch().count();
    Instant guess{Duration{us - us * setup.clock_rate_ppm / (1'000'000 + setup.clock_rate_ppm)}};
    // Rounding leaves it a microsecond off at most.
    while (reading(guess) >= local_time) guess -= Duration{1};
    while (reading(guess) < local_time) guess += Duration{1};
    return guess + stood > frozen_since ? kNever : guess + stood;
}

}  // namespace dunlin::sim
