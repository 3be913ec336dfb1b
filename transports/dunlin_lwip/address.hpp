#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dunlin_lwip {

// 10.9.0.13 is 0x0a09000d.
struct Ipv4Address {
    std::uint32_t value = 0;
    friend constexpr bool operator==(Ipv4Address, Ipv4Address) = default;
};

struct Endpoint {
    Ipv4Address address{};
    std::uint16_t port = 0;
    friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "a.b.c.d", each 0..255 in decimal without leading zeros (elsewhere those mean octal); nothing for any other text.
[[nodiscard]] std::optional<Ipv4Address> parse_ipv4(std::string_view text);

// "a.b.c.d:port", port 1..65535; nothing for any other text. There are no names: a board asks nobody.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

// Whether it may be the address of one interface: not 0.x.x.x, loopback, multicast or above.
[[nodiscard]] constexpr bool is_unicast(Ipv4Address address) {
    const std::uint32_t first = address.value >> 24;
    return first != 0 && first != 127 && first < 224;
}

// RFC 3927: no gateway leads there, and lwIP asks for such a one itself.
[[nodiscard]] constexpr bool is_link_local(Ipv4Address address) { return address.value >> 16 == 0xa9fe; }

// Whether `netmask` is ones and then zeros, of 1 to 30 ones: a network with room for two addresses and its broadcast.
[[nodiscard]] constexpr bool is_netmask(Ipv4Address netmask) {
    const std::uint32_t host = ~netmask.value;
    return (host & (host + 1)) == 0 && host >= 3 && netmask.value != 0;
}

}  // namespace dunlin_lwip
