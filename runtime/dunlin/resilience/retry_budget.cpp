#include <dunlin/resilience/retry_budget.hpp>

#include <algorithm>

namespace dunlin::resilience {
namespace {

constexpr int kUnitShift = 11;  // a unit is 2^11 us
constexpr std::uint16_t kPerRetry = to_us(RetryBudget::kTimePerRetry) >> kUnitShift;
constexpr std::uint16_t kPerSend = kPerRetry / RetryBudget::kSendsPerRetry;
constexpr std::uint16_t kFull = kPerRetry * RetryBudget::kBurst;
constexpr std::uint16_t kChance = kPerRetry / 2;
static_assert(kPerSend * RetryBudget::kSendsPerRetry == kPerRetry);

std::uint16_t units(Instant now) {
    return static_cast<std::uint16_t>(static_cast<std::uint64_t>(to_us(now.time_since_epoch())) >> kUnitShift);
}

}  // namespace

// What the bucket lacks, as the time that fills it.
std::uint16_t RetryBudget::missing(Instant now) const {
    const auto left = static_cast<std::uint16_t>(full_at_low_ - units(now));
    return left > kFull + kChance ? std::uint16_t{0} : left;
}

void RetryBudget::on_sent(Instant now) { full_at_low_ = static_cast<std::uint16_t>(full_at_low_ - std::min(missing(now), kPerSend)); }

bool RetryBudget::take(Instant now, Random& random) {
    const std::uint16_t left = missing(now);
    if (left > kFull - kPerRetry) return false;
    full_at_low_ = static_cast<std::uint16_t>(units(now) + left + kPerRetry + random.below(kChance + 1U));
    return true;
}

Duration RetryBudget::wait(Instant now) const {
    const int short_of = missing(now) + kPerRetry - kFull;
    return from_us(std::int64_t{std::max(short_of, 0)} << kUnitShift);
}

}  // namespace dunlin::resilience
