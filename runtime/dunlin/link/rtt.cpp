#include <dunlin/link/rtt.hpp>

#include <algorithm>

namespace dunlin::link {

void RttEstimator::add(Duration sample, Duration ack_delay) {
    latest_us_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(to_us(sample), 1, 0xffff'ffff));
    if (!measured()) {
        minimum_us_ = latest_us_;
        smoothed_us_ = latest_us_;
        deviation_us_ = latest_us_ / 2;
        return;
    }
    minimum_us_ = std::min(minimum_us_, latest_us_);
    const auto delay = static_cast<std::uint32_t>(std::clamp<std::int64_t>(to_us(ack_delay), 0, to_us(kMaxAckDelay)));
    const std::uint32_t adjusted = latest_us_ - minimum_us_ >= delay ? latest_us_ - delay : latest_us_;
    const std::uint32_t off = adjusted > smoothed_us_ ? adjusted - smoothed_us_ : smoothed_us_ - adjusted;
    deviation_us_ = deviation_us_ - deviation_us_ / 4 + off / 4;
    smoothed_us_ = std::max<std::uint32_t>(1, smoothed_us_ - smoothed_us_ / 8 + adjusted / 8);
}

Duration RttEstimator::loss_delay() const {
    const Duration longest = std::max(Duration{latest_us_}, smoothed());
    return std::max(longest + longest / 8, kGranularity);
}

Duration RttEstimator::probe_timeout(bool at_once) const {
    const Duration deviation = measured() ? Duration{deviation_us_} : kInitial / 2;
    return smoothed() + std::max(deviation * 4, kGranularity) + (at_once ? Duration{0} : kMaxAckDelay);
}

}  // namespace dunlin::link
