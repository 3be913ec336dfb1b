#include <dunlin/resilience/backoff.hpp>
#include <dunlin/resilience/circuit_breaker.hpp>

#include <algorithm>

namespace dunlin::resilience {
namespace {

constexpr int kUnitShift = 13;  // a unit is 2^13 us

std::uint16_t units(Instant now) {
    return static_cast<std::uint16_t>(static_cast<std::uint64_t>(to_us(now.time_since_epoch())) >> kUnitShift);
}

constexpr std::uint16_t kPauseMaxUnits = static_cast<std::uint16_t>(to_us(CircuitBreaker::kPauseMax) >> kUnitShift) + 1;

}  // namespace

bool CircuitBreaker::pause_over(Instant now) const {
    const auto left = static_cast<std::uint16_t>(until_low_ - units(now));
    return left == 0 || left > kPauseMaxUnits;
}

void CircuitBreaker::pause_for(Instant now, Duration pause) {
    until_low_ = static_cast<std::uint16_t>(units(now) + static_cast<std::uint16_t>(to_us(pause) >> kUnitShift) + 1U);
}

bool CircuitBreaker::on_asked(Instant now) {
    if (state_ == CircuitState::closed || !pause_over(now)) return false;
    state_ = CircuitState::half_open;
    pause_for(now, kProbeTime);
    return true;
}

bool CircuitBreaker::on_answer() {
    const bool closes = state_ != CircuitState::closed;
    *this = {};
    return closes;
}

bool CircuitBreaker::on_silence(Instant now, Random& random) {
    if (state_ == CircuitState::open) return false;
    if (failures_ < 255) ++failures_;
    if (failures_ < kFailures) return false;
    state_ = CircuitState::open;
    pause_for(now, backoff_pause(random, kPauseBase, kPauseMax, failures_ - std::uint32_t{kFailures}));
    return true;
}

void CircuitBreaker::on_sign_of_life(Instant now) {
    if (state_ == CircuitState::open) until_low_ = units(now);
}

}  // namespace dunlin::resilience
