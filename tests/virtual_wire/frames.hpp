#pragma once

#include <frame.hpp>
#include <mac_address.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin_wire {

inline constexpr MacAddress kBroadcast{0xffff'ffff'ffffU};

// A frame of the shortest kind and one byte, which tells it from others.
inline std::vector<std::byte> frame_of(MacAddress destination, MacAddress source, std::uint8_t mark = 0) {
    std::vector<std::byte> frame;
    for (const MacAddress address : {destination, source}) {
        for (const std::uint8_t byte : bytes_of(address)) frame.push_back(std::byte{byte});
    }
    frame.insert(frame.end(), {std::byte{0x88}, std::byte{0xb5}, std::byte{mark}});  // an EtherType for experiments
    return frame;
}

constexpr MacAddress station(std::uint32_t number) { return mac_address_for(0x0a090000U | number); }

}  // namespace dunlin_wire
