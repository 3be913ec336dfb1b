#include <dunlin_lwip/address.hpp>

namespace dunlin_lwip {
namespace {

// Takes a decimal number of 0..most without leading zeros from the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, std::uint32_t most) {
    std::uint32_t value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
        if (digits == 1 && text[0] == '0') return std::nullopt;
        value = value * 10 + static_cast<std::uint32_t>(text[digits] - '0');
        if (value > most) return std::nullopt;
        ++digits;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take_character(std::string_view& text, char character) {
    if (text.empty() || text.front() != character) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<Ipv4Address> take_ipv4(std::string_view& text) {
    Ipv4Address address;
    for (unsigned i = 0; i < 4; ++i) {
        if (i > 0 && !take_character(text, '.')) return std::nullopt;
        const std::optional<std::uint32_t> byte = take_number(text, 255);
        if (!byte) return std::nullopt;
        address.value = (address.value << 8) | *byte;
    }
    return address;
}

}  // namespace

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
    const std::optional<Ipv4Address> address = take_ipv4(text);
    return text.empty() ? address : std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::optional<Ipv4Address> address = take_ipv4(text);
    if (!address || !take_character(text, ':')) return std::nullopt;
    const std::optional<std::uint32_t> port = take_number(text, 65'535);
    if (!port || *port == 0 || !text.empty()) return std::nullopt;
    return Endpoint{.address = *address, .port = static_cast<std::uint16_t>(*port)};
}

}  // namespace dunlin_lwip
