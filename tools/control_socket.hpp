#pragma once

#include "hosted_node.hpp"

#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>

#include <asio/local/stream_protocol.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace dunlin_tool {

// A node's Unix socket: requests and replies are one JSON object a line, any number on one connection, one at a time.
//
//     {"request": "status", "counters": true}              -> {"ok": true, "id": 1, "role": "leader", ...}
//     {"request": "put", "key": "k", "value": "v"}         -> {"ok": true, "revision": 17}
//     {"request": "get", "key": "k"}                       -> {"ok": true, "revision": 17, "value": "v"}
//     {"request": "member", "op": "add", "id": 4, "storage": "00f3...", "address": "10.0.0.4:7001"}
//     {"request": "member", "op": "promote" (demote, remove), "id": 4} -> {"ok": true, "index": 18}
//     {"request": "transfer", "id": 4}                     -> {"ok": true}
//     anything else                                        -> {"ok": false, "error": "..."}, for what may
//                                                             have been carried out also "effect": "unknown"
//
// Values that are not UTF-8 are shown with replacement characters. Only the owner of the socket's file may connect.
class ControlSocket {
  public:
    // Throws HostError: the path cannot be used, or another process serves it.
    ControlSocket(HostedNode& host, const std::string& path);
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;
    ~ControlSocket();

    // The node's events, which end requests.
    void take_event(const dunlin::Event& event);

  private:
    struct Connection;

    void accept();
    void read_request(const std::shared_ptr<Connection>& connection);
    void serve(const std::shared_ptr<Connection>& connection, std::string_view line);
    enum class CallKind : std::uint8_t { put, get, member, transfer };
    void start_call(const std::shared_ptr<Connection>& connection, dunlin::Result<dunlin::RequestId> call, CallKind kind);
    void reply(const std::shared_ptr<Connection>& connection, std::string line);
    void refuse(const std::shared_ptr<Connection>& connection, std::string_view error, bool effect_unknown = false);

    struct Call {
        std::shared_ptr<Connection> connection;
        CallKind kind = CallKind::put;
    };
    HostedNode& host_;
    std::string path_;
    asio::local::stream_protocol::acceptor acceptor_;
    std::map<dunlin::RequestId, Call> calls_;
};

}  // namespace dunlin_tool
