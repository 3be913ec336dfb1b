#pragma once

#include "tool_error.hpp"

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

#include <nlohmann/json.hpp>
#include <string>

namespace dunlin_tool {

// The node's answer was no; `reply` says why.
struct Refused : ToolError {
    explicit Refused(nlohmann::ordered_json answer);

    nlohmann::ordered_json reply;
};

// Asks a running node over its Unix socket; see ControlSocket. Blocks.
class ControlClient {
  public:
    // Throws ToolError(kCannotStart): nobody serves the socket.
    explicit ControlClient(const std::string& path);
    // The reply. Throws Refused, or ToolError(kFailed): the node went away.
    [[nodiscard]] nlohmann::ordered_json ask(const nlohmann::ordered_json& request);

  private:
    asio::io_context io_{1};
    asio::local::stream_protocol::socket socket_{io_};
    std::string input_;
};

}  // namespace dunlin_tool
