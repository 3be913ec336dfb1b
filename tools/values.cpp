#include "values.hpp"

#include <dunlin/core/limits.hpp>

#include <dunlin_asio/address.hpp>

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace dunlin_tool {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t us;
};
constexpr std::array<Unit, 5> kUnits{{{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}, {"min", 60'000'000}, {"h", 3'600'000'000}}};

// RFC 1123 §2.1, and the underscore of container networks; what has digits and dots alone is meant as an address of numbers.
bool is_host_name(std::string_view host) {
    constexpr std::string_view kDigitsAndDots = "0123456789.";
    constexpr std::string_view kOthers = "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (host.find_first_not_of(kDigitsAndDots) == std::string_view::npos || host.front() == '.' || host.front() == '-') return false;
    return host.find_first_not_of(std::string(kDigitsAndDots).append(kOthers)) == std::string_view::npos;
}

}  // namespace

std::optional<dunlin::Duration> read_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count < 0) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const Unit& each : kUnits) {
        if (unit != each.name) continue;
        if (count > std::numeric_limits<std::int64_t>::max() / each.us) return std::nullopt;
        return dunlin::from_us(count * each.us);
    }
    return std::nullopt;
}

std::optional<std::uint32_t> to_ppm(double share) {
    if (!(share >= 0.0 && share <= 1.0)) return std::nullopt;
    // Not lround(): it alone would make the math library resident in every node.
    const auto halves = static_cast<std::uint32_t>(share * 2e6);
    return (halves + 1) / 2;
}

std::optional<std::uint64_t> read_number(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x");
    if (hexadecimal) text.remove_prefix(2);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hexadecimal ? 16 : 10);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string hexadecimal(std::uint64_t value) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
    return text.data();
}

bool is_address(std::string_view text, bool port_zero) {
    if (text.empty() || text.size() > dunlin::kAddressBytesMax) return false;
    const std::optional<dunlin_asio::HostPort> parts = dunlin_asio::split_address(text);
    if (!parts || (!is_host_name(parts->host) && !dunlin_asio::numeric_address(text))) return false;
    const std::optional<std::uint64_t> port = read_number(parts->port);
    return port && *port <= 65535 && (port_zero || *port != 0);
}

}  // namespace dunlin_tool
