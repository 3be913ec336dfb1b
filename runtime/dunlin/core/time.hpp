#pragma once

#include <chrono>
#include <cstdint>

namespace dunlin {

// A clock that never goes back and counts sleep and suspend (CLOCK_BOOTTIME on Linux, a low-power timer on a
// board). The runtime never reads it: the caller passes an Instant into every call. Wall-clock time is nowhere.
struct BootClock {
    using rep = std::int64_t;
    using period = std::micro;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
};

using Duration = BootClock::duration;   // microseconds, signed 64 bits
using Instant = BootClock::time_point;  // microseconds since the clock's own start

// Comparisons of whole microseconds, preferred to the library's templates inside this namespace: those go through a
// three-way comparison by reference, a call and two spills each on a Cortex-M.
constexpr bool operator==(Duration a, Duration b) { return a.count() == b.count(); }
constexpr bool operator<(Duration a, Duration b) { return a.count() < b.count(); }
constexpr bool operator>(Duration a, Duration b) { return a.count() > b.count(); }
constexpr bool operator<=(Duration a, Duration b) { return a.count() <= b.count(); }
constexpr bool operator>=(Duration a, Duration b) { return a.count() >= b.count(); }
constexpr bool operator==(Instant a, Instant b) { return a.time_since_epoch().count() == b.time_since_epoch().count(); }
constexpr bool operator<(Instant a, Instant b) { return a.time_since_epoch().count() < b.time_since_epoch().count(); }
constexpr bool operator>(Instant a, Instant b) { return a.time_since_epoch().count() > b.time_since_epoch().count(); }
constexpr bool operator<=(Instant a, Instant b) { return a.time_since_epoch().count() <= b.time_since_epoch().count(); }
constexpr bool operator>=(Instant a, Instant b) { return a.time_since_epoch().count() >= b.time_since_epoch().count(); }

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Instant kNever = Instant::max();  // "no deadline"

constexpr std::int64_t to_us(Duration value) { return value.count(); }
constexpr Duration from_us(std::int64_t value) { return Duration{value}; }

// The earlier of two. By value, which a Cortex-M has in registers: std::min takes and gives references.
constexpr Instant earlier(Instant a, Instant b) { return b < a ? b : a; }

// `base + delay`, or kNever where that would overflow.
constexpr Instant saturating_add(Instant base, Duration delay) {
    return (delay.count() > 0 && base > kNever - delay) ? kNever : base + delay;
}

}  // namespace dunlin
