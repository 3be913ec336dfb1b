#pragma once

#include <cstdint>

namespace dunlin::bus {

// What decides how long a key is remembered: see key_end().
struct KeyTimes {
    std::uint32_t lifetime_max_ms = 3'600'000;  // of a message with a key: Options::key_lifetime_max
    std::uint32_t packet_age_max_ms = 10'000;   // Options::packet_age_max
    std::uint32_t clock_rate_bound_ppm = 1000;  // of this node's clock
};

}  // namespace dunlin::bus
