#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin {

// A moment that is near, in 2 bytes: units of 2^10 us, which come round every 67 s. O(1).
class ShortInstant {
  public:
    ShortInstant() = default;
    constexpr explicit ShortInstant(Instant at) : low_(static_cast<std::uint16_t>(units(at) + 1U)) {}  // rounded up
    // The moment, which lay at most `longest` (60 s at most) after the present when it was noted; what has passed is `now`.
    [[nodiscard]] constexpr Instant near(Instant now, Duration longest) const {
        const std::uint64_t here = units(now);
        const auto left = static_cast<std::uint16_t>(low_ - here);
        const bool past = left == 0 || left > units(Instant{longest}) + 2;
        return past ? now : Instant{from_us(static_cast<std::int64_t>((here + left) << kShift))};
    }

  private:
    static constexpr int kShift = 10;
    [[nodiscard]] static constexpr std::uint64_t units(Instant at) {
        return static_cast<std::uint64_t>(to_us(at.time_since_epoch())) >> kShift;
    }

    std::uint16_t low_ = 0;
};

}  // namespace dunlin
