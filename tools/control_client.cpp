#include "control_client.hpp"

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <system_error>
#include <utility>

namespace dunlin_tool {

Refused::Refused(nlohmann::ordered_json answer)
    : ToolError(kFailed, "the node refuses: " + answer.value("error", std::string("it gives no reason")) + "."), reply(std::move(answer)) {}

ControlClient::ControlClient(const std::string& path) {
    try {
        socket_.connect(asio::local::stream_protocol::endpoint(path));
    } catch (const std::system_error& error) {
        throw ToolError(kCannotStart, "no node answers at the socket '" + path + "': " + error.code().message() + ".");
    }
}

nlohmann::ordered_json ControlClient::ask(const nlohmann::ordered_json& request) {
    using Json = nlohmann::ordered_json;
    try {
        asio::write(socket_, asio::buffer(request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
        const std::size_t bytes = asio::read_until(socket_, asio::dynamic_buffer(input_), '\n');
        Json reply = Json::parse(input_.substr(0, bytes), nullptr, false);
        input_.erase(0, bytes);
        if (!reply.is_object()) throw ToolError(kFailed, "the node's answer is not understood.");
        if (reply.value("ok", false)) return reply;
        throw Refused(std::move(reply));
    } catch (const std::system_error& error) { throw ToolError(kFailed, "the node went away: " + error.code().message() + "."); }
}

}  // namespace dunlin_tool
