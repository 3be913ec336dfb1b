#include <dunlin_asio/address.hpp>

#include <dunlin_asio/host_error.hpp>

#include <asio/ip/address.hpp>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace dunlin_asio {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

}  // namespace

std::optional<HostPort> split_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (!parse_port(port)) return std::nullopt;
    if (host.front() == '[') {
        if (host.back() != ']' || host.size() < 3) return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;
    }
    return HostPort{.host = std::string(host), .port = std::string(port)};
}

std::optional<Endpoint> numeric_address(std::string_view text) {
    const std::optional<HostPort> parts = split_address(text);
    if (!parts) return std::nullopt;
    std::error_code error;
    const asio::ip::address address = asio::ip::make_address(parts->host, error);
    if (error) return std::nullopt;
    return Endpoint(address, *parse_port(parts->port));
}

Endpoint resolve_address(asio::io_context& io, std::string_view text) {
    const std::optional<HostPort> parts = split_address(text);
    if (!parts) throw HostError("'" + std::string(text) + "' is not an address: write host:port or [v6-address]:port.");
    if (const std::optional<Endpoint> numeric = numeric_address(text)) return *numeric;
    asio::ip::udp::resolver resolver(io);
    std::error_code error;
    const auto found = resolver.resolve(parts->host, parts->port, error);
    if (error || found.empty()) throw HostError("cannot find the host '" + parts->host + "': " + error.message() + ".");
    return found.begin()->endpoint();
}

std::string to_string(const Endpoint& endpoint) {
    const asio::ip::address address = endpoint.address();
    const std::string port = std::to_string(endpoint.port());
    if (address.is_v4()) return address.to_string() + ":" + port;
    const asio::ip::address_v6 v6 = address.to_v6();
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string() + ":" + port;
    return "[" + v6.to_string() + "]:" + port;
}

}  // namespace dunlin_asio
