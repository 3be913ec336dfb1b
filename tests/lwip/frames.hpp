#pragma once

#include "lwip/fake_port.hpp"

#include <dunlin_lwip/address.hpp>
#include <dunlin_lwip/port.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Frames as a network has them, written down a second time: what lwIP sends is read, and what it shall read is made, without it.
namespace lwip_test {

using dunlin_lwip::Endpoint;
using dunlin_lwip::Ipv4Address;
using dunlin_lwip::port::MacAddress;

inline constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// RFC 826.
struct Arp {
    MacAddress frame_to{};
    bool reply = false;
    MacAddress sender_mac{};
    Ipv4Address sender{};
    MacAddress target_mac{};
    Ipv4Address target{};
};
Frame write(const Arp& arp);
std::optional<Arp> read_arp(const Frame& frame);

// RFC 768 in RFC 791 without options.
struct Datagram {
    MacAddress mac_from{};
    MacAddress mac_to{};
    Endpoint from{};
    Endpoint to{};
    std::string payload{};
};
Frame write(const Datagram& datagram);
// Nothing where it is none, or where a length or a checksum is wrong.
std::optional<Datagram> read_datagram(const Frame& frame);

// Of 16-bit words that are summed in ones' complement (RFC 1071); 0 over bytes that hold their own checksum.
std::uint16_t checksum(std::string_view bytes);

// Where things are in a frame with a datagram.
inline constexpr std::size_t kIpAt = 14;
inline constexpr std::size_t kUdpAt = 34;
inline constexpr std::size_t kPayloadAt = 42;

}  // namespace lwip_test
