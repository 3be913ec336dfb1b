#pragma once

#include "frame.hpp"

#include <dunlin/core/strong.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dunlin_wire {

// 48 bits, the byte that is sent first is the highest one.
using MacAddress = dunlin::Strong<struct MacAddressTag, std::uint64_t>;

// Of a frame of at least kFrameBytesMin bytes.
[[nodiscard]] MacAddress destination_of(FrameBytes frame);
[[nodiscard]] MacAddress source_of(FrameBytes frame);

// Multicast or broadcast: of more than one station. No frame comes from such an address.
[[nodiscard]] constexpr bool is_group(MacAddress address) { return (address.value() >> 40U & 1U) != 0; }

// "02:00:0a:09:00:01"; nothing for any other text.
[[nodiscard]] std::optional<MacAddress> read_mac_address(std::string_view text);
[[nodiscard]] std::array<std::uint8_t, 6> bytes_of(MacAddress address);
// What a station of this IPv4 address has unless it is told another: 02:00 (administered locally) and the address.
[[nodiscard]] constexpr MacAddress mac_address_for(std::uint32_t ipv4) { return MacAddress{std::uint64_t{0x0200} << 32U | ipv4}; }

}  // namespace dunlin_wire
