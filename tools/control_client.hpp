#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

#include <nlohmann/json.hpp>
#include <string>

namespace dunlin_tool {

// Asks a running node over its Unix socket; see ControlSocket. Blocks.
class ControlClient {
  public:
    // Throws ToolError(kCannotStart): nobody serves the socket.
    explicit ControlClient(const std::string& path);
    // The reply. Throws ToolError(kFailed): refused, or the node went away.
    [[nodiscard]] nlohmann::ordered_json ask(const nlohmann::ordered_json& request);

  private:
    asio::io_context io_{1};
    asio::local::stream_protocol::socket socket_{io_};
    std::string input_;
};

}  // namespace dunlin_tool
