#include "mac_address.hpp"

#include <dunlin/core/assert.hpp>

#include <charconv>
#include <system_error>

namespace dunlin_wire {
namespace {

constexpr std::size_t kBytes = 6;

MacAddress address_at(FrameBytes frame, std::size_t offset) {
    DUNLIN_ASSERT(frame.size() >= kFrameBytesMin);
    std::uint64_t value = 0;
    for (const std::byte each : frame.subspan(offset, kBytes)) value = value << 8U | std::to_integer<std::uint64_t>(each);
    return MacAddress{value};
}

}  // namespace

MacAddress destination_of(FrameBytes frame) { return address_at(frame, 0); }

MacAddress source_of(FrameBytes frame) { return address_at(frame, kBytes); }

std::optional<MacAddress> read_mac_address(std::string_view text) {
    constexpr std::size_t kStep = 3;  // two digits and a colon
    if (text.size() != kBytes * kStep - 1) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < text.size(); at += kStep) {
        std::uint8_t byte = 0;
        const char* const end = text.data() + at + 2;
        const auto [stop, error] = std::from_chars(text.data() + at, end, byte, 16);
        if (error != std::errc{} || stop != end || (at + 2 < text.size() && *end != ':')) return std::nullopt;
        value = value << 8U | byte;
    }
    return MacAddress{value};
}

std::array<std::uint8_t, 6> bytes_of(MacAddress address) {
    std::array<std::uint8_t, kBytes> bytes{};
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<std::uint8_t>(address.value() >> (8U * (kBytes - 1 - i)));
    return bytes;
}

}  // namespace dunlin_wire
