#include <dunlin/membership/arrival_statistics.hpp>

#include <algorithm>

namespace dunlin::membership {
namespace {

std::uint32_t saturate(Duration value) { return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value.count(), 0, 0xffffffff)); }

}  // namespace

void ArrivalStatistics::reset(Duration interval) {
    mean_us_ = saturate(interval);
    deviation_us_ = mean_us_ / 4;
}

void ArrivalStatistics::add(Duration since_previous) {
    const std::int64_t error = static_cast<std::int64_t>(saturate(since_previous)) - static_cast<std::int64_t>(mean_us_);
    const std::int64_t distance = error < 0 ? -error : error;
    mean_us_ = saturate(Duration{mean_us_ + error / 8});
    deviation_us_ = saturate(Duration{deviation_us_ + (distance - static_cast<std::int64_t>(deviation_us_)) / 4});
}

}  // namespace dunlin::membership
