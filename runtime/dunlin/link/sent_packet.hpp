#pragma once

#include <dunlin/core/assert.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/padding.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace dunlin::link {

inline constexpr std::uint16_t kNoAlias = 0x3fff;  // aliases have at most 10 bits
inline constexpr std::size_t kRangesPerPacket = 2;
inline constexpr std::size_t kRangeMax = 255;  // sequences of one range

// What one ack-eliciting packet carried, kept until its fate is known. 64-bit numbers are kept as their low halves: all
// that are compared lie within 2^31 of each other. The second range is kept by its distance from the first, which a lane's
// window keeps below 2^16.
class SentPacket {
  public:
    std::uint32_t number_low = 0;
    std::uint32_t sent_us_low = 0;
    std::uint32_t ack_largest_low = 0;    // the ack that it carried; with carried_ack
    std::uint16_t alias : 14 = kNoAlias;  // declared in it
    std::uint16_t lane_number : 2 = 0;    // lane()
    std::uint8_t size_in_units = 0;       // bytes(), in kBytesUnit
    bool settlement : 1 = false;
    bool carried_ack : 1 = false;
    bool done : 1 = false;           // acknowledged, or lost
    bool probed : 1 = false;         // a probe timeout has queued its content again
    bool beyond_window : 1 = false;  // control, sent though the congestion window was full

    // As congestion control counts it: a multiple of kBytesUnit. Packets are at most 2,040 bytes long.
    static constexpr std::size_t kBytesUnit = 8;
    [[nodiscard]] std::uint32_t bytes() const { return std::uint32_t{size_in_units} * kBytesUnit; }
    void set_bytes(std::size_t bytes) {
        DUNLIN_ASSERT(bytes <= kBytesUnit * 255);
        size_in_units = static_cast<std::uint8_t>(padded_to<kBytesUnit>(bytes) / kBytesUnit);
    }

    void declare(std::uint16_t name) { alias = name & kNoAlias; }

    // Whose messages and skips it carries: of one lane only.
    [[nodiscard]] Lane lane() const { return static_cast<Lane>(lane_number); }
    void set_lane(Lane lane) { lane_number = static_cast<std::uint16_t>(lane) & 3U; }

    // Sequences: messages or skips.
    [[nodiscard]] std::size_t ranges() const { return (count_[0] > 0 ? 1U : 0U) + (count_[1] > 0 ? 1U : 0U); }
    [[nodiscard]] bool ranges_full() const { return count_[1] > 0; }
    [[nodiscard]] std::uint32_t range_first(std::size_t i) const {
        if (i == 0) return first_low_;
        return second_below_ ? first_low_ - distance_ : first_low_ + distance_;
    }
    [[nodiscard]] std::uint8_t range_count(std::size_t i) const { return count_[i]; }
    [[nodiscard]] bool range_is_skip(std::size_t i) const { return i == 0 ? first_skip_ : second_skip_; }
    void add_range(std::uint32_t first_low, std::uint8_t count, bool skip);

    // Padding alone, as long as packets might be (PacketSize). It has no ranges, so a bit of these says so.
    [[nodiscard]] bool is_size_probe() const { return second_skip_ && !ranges_full(); }
    void set_size_probe() { second_skip_ = true; }

  private:
    bool first_skip_ : 1 = false;
    bool second_skip_ : 1 = false;
    bool second_below_ : 1 = false;
    std::uint32_t first_low_ = 0;
    std::uint16_t distance_ = 0;
    std::array<std::uint8_t, kRangesPerPacket> count_{};
};
static_assert(sizeof(SentPacket) == 24);

}  // namespace dunlin::link
