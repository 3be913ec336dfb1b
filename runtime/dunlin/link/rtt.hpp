#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::link {

// Round-trip time of one path: RFC 9002 §5, in microseconds of 32 bits (samples saturate at 71 minutes; PacketSpace
// gives none above the idle timeout). 16 bytes.
class RttEstimator {
  public:
    static constexpr Duration kInitial = milliseconds{100};
    static constexpr Duration kGranularity = milliseconds{1};
    static constexpr Duration kMaxAckDelay = milliseconds{10};  // AckTracker::kDelayMax, and as much for a late timer

    // `ack_delay` as the peer stated it; it counts up to kMaxAckDelay, and never below the minimum (RFC 9002 §5.3).
    void add(Duration sample, Duration ack_delay);
    [[nodiscard]] bool measured() const { return smoothed_us_ != 0; }
    [[nodiscard]] Duration smoothed() const { return measured() ? Duration{smoothed_us_} : kInitial; }
    // Without queues on the path: the shortest so far, and the granularity, below which a queue does no harm. > 0.
    [[nodiscard]] Duration unqueued() const { return Duration{minimum_us_} + kGranularity; }
    // How long after it was sent a packet is lost when a later one was acknowledged (RFC 9002 §6.1.2).
    [[nodiscard]] Duration loss_delay() const;
    // Without the backoff (RFC 9002 §6.2.1). `at_once`: the peer may not delay its ack, as where several packets are in flight
    // (RFC 8985 §7.2).
    [[nodiscard]] Duration probe_timeout(bool at_once = false) const;

  private:
    std::uint32_t latest_us_ = 0;
    std::uint32_t smoothed_us_ = 0;  // 0: no sample yet
    std::uint32_t deviation_us_ = 0;
    std::uint32_t minimum_us_ = 0;
};

}  // namespace dunlin::link
