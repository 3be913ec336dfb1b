#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::link {

// What a path was seen to carry in a round trip.
struct Carried {
    std::uint32_t bytes = 0;  // that may be in flight without a queue, < 2^31; 0: not known yet
    bool queued = false;      // the last round trip took longer than one without queues
};

// How much a path carries in a round trip without queues: the bytes that may be in flight without one, estimated as TCP Westwood+
// does (Grieco and Mascolo 2004, §2). One sample a round trip: what was acknowledged in it, times unqueued / length of the round;
// so it is never more than was delivered. A smaller sample takes a quarter off the estimate at most: one round in which the
// application was silent says little. O(1), and one 64-bit division a round trip.
class DeliveryRate {
  public:
    void reset();  // another path, or a new session on it
    // `number_low`: of the acknowledged packet; `next_low`: of the next one to be sent; `unqueued`: a round trip without queues, > 0.
    void on_acked(Instant now, std::uint32_t number_low, std::uint32_t bytes, std::uint32_t next_low, Duration unqueued);
    [[nodiscard]] Carried carried() const { return {.bytes = estimate_, .queued = queued_}; }

  private:
    std::uint32_t delivered_ = 0;      // in this round
    std::uint32_t round_end_low_ = 0;  // the first packet sent after the round began: its ack ends it
    std::uint32_t began_us_low_ = 0;
    std::uint32_t estimate_ : 31 = 0;
    bool queued_ : 1 = false;
};

}  // namespace dunlin::link
