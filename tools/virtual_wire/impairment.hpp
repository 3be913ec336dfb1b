#pragma once

#include "frame.hpp"

#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin_wire {

// What the wire does to frames. Shares are in parts per million; delays are drawn uniformly, both ends included.
struct ImpairmentSettings {
    std::uint32_t loss_ppm = 0;       // 0..1,000,000
    std::uint32_t duplicate_ppm = 0;  // 0..1,000,000
    dunlin::Duration delay_min{};     // 0..kDelayMax, delay_min <= delay_max
    dunlin::Duration delay_max{};

    static constexpr std::uint32_t kWhole = 1'000'000;
    static constexpr dunlin::Duration kDelayMax = dunlin::seconds{10};
};

struct Fate {
    bool lost = false;
    bool twice = false;               // where it is not lost
    dunlin::Duration delay{};         // of the first copy
    dunlin::Duration second_delay{};  // of the second one
};

// Draws what happens to each frame. A way leads from one port to another; a frame that leaves by three ports goes three ways. The fate
// of the n-th frame on a way depends on the seed, the way, n and the settings, and on nothing else: neither on how frames of
// different ways come to be mixed, nor on what was set or drawn before. No clock, no sockets. O(1) a frame.
class Impairment {
  public:
    Impairment(std::size_t ports, std::uint64_t seed);

    ImpairmentSettings settings{};
    [[nodiscard]] Fate next(PortIndex from, PortIndex to);

  private:
    std::size_t ports_;
    std::vector<std::uint64_t> seeds_;  // by way: one more for each frame
};

}  // namespace dunlin_wire
