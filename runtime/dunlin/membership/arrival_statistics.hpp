#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::membership {

// Mean and mean deviation of the time between signs of life, as integer moving averages with the gains of RFC 6298
// (1/8 and 1/4). 8 bytes; each sample is O(1). Values saturate at about 71 minutes.
class ArrivalStatistics {
  public:
    // Starts over, expecting one arrival each `interval`.
    void reset(Duration interval);
    void add(Duration since_previous);
    [[nodiscard]] Duration mean() const { return Duration{mean_us_}; }
    [[nodiscard]] Duration deviation() const { return Duration{deviation_us_}; }

  private:
    std::uint32_t mean_us_ = 0;
    std::uint32_t deviation_us_ = 0;
};

}  // namespace dunlin::membership
