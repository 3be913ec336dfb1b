#pragma once

#include "frame.hpp"
#include "mac_address.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace dunlin_wire {

// Where frames go (IEEE 802.1D, without its spanning tree): learns from a frame's source which port a station is at. No sockets, no
// time. Invariant: at most `addresses_max` addresses are known. When one more is heard of, the one that was silent for the most frames is
// forgotten: what is for it goes to every port until it speaks again.
class FrameSwitch {
  public:
    static constexpr std::size_t kAddressesMax = 1024;

    explicit FrameSwitch(std::size_t ports, std::size_t addresses_max = kAddressesMax);

    // The ports that a frame of at least kFrameBytesMin bytes leaves by, valid until the next call: one, or every other port where it is
    // for many or for an address that is not known, or none where its station is at `from` itself. O(log addresses), and
    // O(addresses) where one is forgotten.
    [[nodiscard]] std::span<const PortIndex> forward(PortIndex from, FrameBytes frame);
    [[nodiscard]] std::size_t addresses() const { return stations_.size(); }

  private:
    struct Station {
        PortIndex port;
        std::uint64_t heard_at = 0;  // the number of the frame
    };
    void learn(MacAddress source, PortIndex from);
    void forget_the_most_silent();

    std::size_t ports_;
    std::size_t addresses_max_;
    std::uint64_t frames_ = 0;
    std::map<MacAddress, Station> stations_;
    std::vector<PortIndex> leaves_by_;
};

}  // namespace dunlin_wire
