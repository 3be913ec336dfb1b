#pragma once

#include <dunlin/core/strong.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dunlin_wire {

// A port of the switch: 0, 1, 2... in the order in which they were named.
using PortIndex = dunlin::Strong<struct PortIndexTag, std::uint16_t>;
inline constexpr std::size_t kPortsMax = 64;
[[nodiscard]] constexpr PortIndex port_at(std::size_t number) { return PortIndex{static_cast<std::uint16_t>(number)}; }

// What an Ethernet frame may be without its checksum, which no virtual card sends: from a bare header up to an MTU of 9,000 with a VLAN
// tag. (Frames below 60 bytes pass: guests' cards pad nothing.)
inline constexpr std::size_t kFrameBytesMin = 14;
inline constexpr std::size_t kMtuMax = 9000;
inline constexpr std::size_t kFrameBytesMax = kMtuMax + kFrameBytesMin + 4;

using FrameBytes = std::span<const std::byte>;
// A frame that waits at several ports is kept once.
using SharedFrame = std::shared_ptr<const std::vector<std::byte>>;

}  // namespace dunlin_wire
