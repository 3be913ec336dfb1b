#include <dunlin/core/division.hpp>
#include <dunlin/link/pacer.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

std::uint64_t us(Duration duration) { return static_cast<std::uint64_t>(to_us(duration)); }

bool unpaced(const PacingRate& rate) {
    return rate.window <= Pacer::kBurstPackets * rate.packet_bytes || rate.round_trip <= Pacer::kBurstTime;
}

std::uint32_t bucket_bytes(const PacingRate& rate) {
    const std::uint64_t flow = divide(rate.window * us(Pacer::kBurstTime), us(rate.round_trip)).quotient;
    return std::max(static_cast<std::uint32_t>(flow), Pacer::kBurstPackets * rate.packet_bytes);
}

}  // namespace

void Pacer::reset(std::uint32_t packet_bytes) { tokens_ = static_cast<std::int32_t>(kBurstPackets * packet_bytes); }

void Pacer::on_sent(Duration since, std::uint32_t bytes, const PacingRate& rate) {
    if (unpaced(rate)) {
        reset(rate.packet_bytes);
        return;
    }
    const std::uint64_t elapsed = us(std::clamp(since, Duration{0}, rate.round_trip));
    const std::uint64_t gained = divide(elapsed * rate.window * 5, us(rate.round_trip) * 4).quotient;
    const std::int64_t held = std::min<std::int64_t>(tokens_ + static_cast<std::int64_t>(gained), bucket_bytes(rate));
    tokens_ = static_cast<std::int32_t>(std::max<std::int64_t>(held - bytes, -std::int64_t{rate.packet_bytes}));
}

Duration Pacer::wait(const PacingRate& rate) const {
    const std::int64_t missing = std::int64_t{rate.packet_bytes} - tokens_;
    if (missing <= 0 || unpaced(rate)) return Duration{0};
    const std::uint64_t flow = std::uint64_t{rate.window} * 5;
    const std::uint64_t time = static_cast<std::uint64_t>(missing) * us(rate.round_trip) * 4;
    return from_us(static_cast<std::int64_t>(divide(time + flow - 1, flow).quotient));
}

}  // namespace dunlin::link
