#pragma once

#include <dunlin/link/delivery_rate.hpp>

#include <algorithm>
#include <cstdint>

namespace dunlin::link {

// How many bytes of packets that ask for an ack may be in flight: the NewReno sender of RFC 9002 §7 and appendix B, which halves only
// where less than half of a window arrived. Else a loss takes it back to what the path carries, where a queue has built up, or takes
// off what was lost, where none has. A window that was not used to the full does not grow (§7.8). Packets are named by the low halves
// of their numbers. O(1) each call.
//
// Invariants: window() >= kMinimumPackets packets; in_flight() is the sum of what was sent and neither acknowledged nor lost.
class CongestionWindow {
  public:
    static constexpr std::uint32_t kInitialPackets = 10;      // RFC 9002 §7.2, which caps them at
    static constexpr std::uint32_t kInitialBytesMax = 14720;  // this, or two packets where that is more
    static constexpr std::uint32_t kMinimumPackets = 2;
    static constexpr std::uint32_t kWindowMax = 1U << 30U;  // bytes: what no path holds; keeps sums in 32 bits

    // A new session, whose packets are of at most `packet_bytes` (>= 1; counted as SentPacket::bytes() does): nothing is known of
    // the path.
    void reset(std::uint32_t packet_bytes);

    // Whole packets are of at most `packet_bytes` from now on; the window stays what it was, or becomes the minimum.
    void set_packet_bytes(std::uint32_t packet_bytes);
    // A whole packet may be sent and leave room for `reserve` more, or for a quarter of the window where that is less: so one always
    // fits an empty window.
    [[nodiscard]] bool fits(std::uint8_t reserve = 0) const {
        return in_flight_ + packet_bytes_ + std::min<std::uint32_t>(reserve * packet_bytes_, window_ / 4) <= window_;
    }
    // One that leaves no room for another that does as well has used the window to the full.
    void on_sent(std::uint32_t number_low, std::uint32_t bytes, std::uint8_t reserve = 0);
    void on_acked(std::uint32_t number_low, std::uint32_t bytes);
    // `next_low`: number of the next packet to be sent; `carried`: by the path in a round trip; 0 bytes, not known, halve. True: the
    // first loss of a round trip. Where less than half of the window arrived it is halved, and grows again after that round trip. Else
    // it goes back to `carried` where a queue has built up; where none has, this and each further loss of the round trip takes its bytes
    // off. Never below a half in a round trip (§7.3.2; docs/decisions/0008).
    [[nodiscard]] bool on_lost(std::uint32_t number_low, std::uint32_t bytes, std::uint32_t next_low, const Carried& carried);
    // Lost, and no sign of congestion.
    void on_discarded(std::uint32_t bytes);
    // Nothing of some round trips arrived (§7.6): back to the minimum.
    void on_persistent_congestion();

    [[nodiscard]] std::uint32_t window() const { return window_; }        // bytes
    [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }  // bytes
    [[nodiscard]] std::uint32_t packet_bytes() const { return packet_bytes_; }
    [[nodiscard]] bool in_slow_start() const { return window_ < threshold_; }

  private:
    void enter_recovery(std::uint32_t next_low, const Carried& carried);

    std::uint32_t window_ = 0;
    std::uint32_t threshold_ = 0;  // of slow start; while shrinking_, the least window of this round trip
    std::uint32_t in_flight_ = 0;
    std::uint32_t acked_ = 0;             // bytes towards the next packet of growth in congestion avoidance
    std::uint32_t recovery_end_low_ = 0;  // packets before it tell of congestion that was answered already
    std::uint32_t filled_low_ = 0;        // the last packet that filled the window
    std::uint16_t packet_bytes_ = 0;
    bool shrinking_ = false;  // in recovery: by each packet that is lost
    bool halved_ = false;     // in recovery: so it waits for the end of the round trip before it grows
};

}  // namespace dunlin::link
