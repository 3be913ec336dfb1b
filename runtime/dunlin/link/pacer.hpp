#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::link {

// What a pacer goes by.
struct PacingRate {
    std::uint32_t window = 0;        // bytes that may be in flight
    std::uint32_t packet_bytes = 0;  // of a whole packet
    Duration round_trip{};           // smoothed
};

// Spreads the packets of a window over the round trip instead of sending them in one burst (RFC 9002 §7.7): a bucket that fills at
// 5/4 of window / round trip, and holds kBurstPackets packets or what flows in kBurstTime, whichever is more.
//
// A window no larger than the bucket is not paced at all: that is every path of a round trip below kBurstTime, and every node
// with few packets in flight. Only what is paced costs a 64-bit division a packet.
class Pacer {
  public:
    static constexpr std::uint32_t kBurstPackets = 10;
    static constexpr Duration kBurstTime = milliseconds{2};

    void reset(std::uint32_t packet_bytes);  // the bucket is full
    // A packet of `bytes` left, `since` after the one before. What the bucket does not hold is owed, up to a whole packet.
    void on_sent(Duration since, std::uint32_t bytes, const PacingRate& rate);
    // How long after the last packet a whole one may leave; 0: at once.
    [[nodiscard]] Duration wait(const PacingRate& rate) const;

  private:
    std::int32_t tokens_ = 0;  // bytes, when the last packet had left; below 0 by what control sent unasked
};

}  // namespace dunlin::link
