#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dunlin_asio {

using Endpoint = asio::ip::udp::endpoint;

// The two halves of "host:port" or "[v6]:port".
struct HostPort {
    std::string host;
    std::string port;  // decimal, 0..65535
};
// Nothing where `text` is not of that form. A v6 address needs its brackets.
[[nodiscard]] std::optional<HostPort> split_address(std::string_view text);

// The endpoint of a numeric "a.b.c.d:port" or "[v6%scope]:port"; nothing for a name. Asks nobody.
[[nodiscard]] std::optional<Endpoint> numeric_address(std::string_view text);

// Resolves "host:port" at once, which may take as long as the system's resolver does: before the loop runs only.
// Throws HostError.
[[nodiscard]] Endpoint resolve_address(asio::io_context& io, std::string_view text);

// The form that numeric_address() reads; v4 addresses mapped into v6 are written as v4.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace dunlin_asio
