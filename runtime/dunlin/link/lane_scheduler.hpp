#pragma once

#include <dunlin/core/lane.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace dunlin::link {

// A set of lanes, by their numbers.
class LaneSet {
  public:
    constexpr void add(Lane lane) { bits_ = static_cast<std::uint8_t>(bits_ | 1U << index_of(lane)); }
    constexpr void set(Lane lane, bool in) {
        bits_ = static_cast<std::uint8_t>(bits_ & ~(1U << index_of(lane)));
        if (in) add(lane);
    }
    [[nodiscard]] constexpr bool has(Lane lane) const { return (bits_ >> index_of(lane) & 1U) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr LaneSet with(LaneSet others) const {
        LaneSet both = others;
        both.bits_ |= bits_;
        return both;
    }

  private:
    std::uint8_t bits_ = 0;
};

// How the lanes of a link share what they have in common (docs/decisions/0013): a higher lane goes first, a lower one leaves it room,
// and none is starved for ever. A packet carries messages of one lane. Each lane has a window, sequences and settlement of its own.
//
// Packets: the highest lane that wants one gets it; but one that was passed over kTurn - 1 times gets the next.
// Packets in flight, congestion window: a lane leaves a packet to each lane above it, and never more than a quarter of the
// congestion window; in its turn it leaves nothing, or others that fill the window would keep it from it.
// Outbox, credit of the peer: bulk leaves a quarter to the others, normal an eighth to urgent, unless the outbox is empty.
class LaneScheduler {
  public:
    static constexpr std::uint8_t kTurn = 16;

    // Of `wanting`, not empty: whose the next packet is. O(1), as all here.
    [[nodiscard]] Lane next(LaneSet wanting) const;
    // It left; `wanting`: what is wanted now.
    void sent(Lane lane, LaneSet wanting);
    // Packets that `lane` leaves to others, in a node with `lanes` of them.
    [[nodiscard]] std::uint8_t reserve(Lane lane, std::size_t lanes) const {
        return has_turn(lane) ? std::uint8_t{0} : lanes_above(lane, lanes);
    }
    // May a message of `lane` take what leaves `free` of `capacity`? Units of the caller's. `empty`: nothing is taken yet.
    [[nodiscard]] static constexpr bool leaves_room(Lane lane, std::size_t lanes, std::size_t free, std::size_t capacity, bool empty) {
        constexpr std::size_t kPart[] = {0, 8, 4};  // by the number of lanes above
        const std::size_t above = lanes_above(lane, lanes);
        return above == 0 || empty || free >= capacity / kPart[above];
    }

  private:
    [[nodiscard]] static constexpr std::uint8_t lanes_above(Lane lane, std::size_t lanes) {
        if (lane == Lane::urgent || lanes == 1) return 0;
        return lane == Lane::normal ? 1 : 2;
    }
    [[nodiscard]] bool has_turn(Lane lane) const { return passed_over_[index_of(lane)] + 1 >= kTurn; }

    std::array<std::uint8_t, kLanesMax> passed_over_{};  // packets, since the lane's last one, that it wanted
};

}  // namespace dunlin::link
