#pragma once

#include "frame.hpp"
#include "wire.hpp"

#include <asio/io_context.hpp>
#include <asio/local/datagram_protocol.hpp>

#include <optional>
#include <string>
#include <vector>

namespace dunlin_wire {

// One end of a cable: a Unix datagram socket with a path of its own that sends to the path of the other end, each datagram one Ethernet frame
// (what QEMU's -netdev dgram does). It is never connected: whoever binds the other path has the other end, also after a restart.
// Nothing blocks.
class FrameSocket {
  public:
    // Binds `own_path`; a path that was left by a process that died is taken over. Throws ToolError: it is too long, or another
    // process has it, or it cannot be made.
    FrameSocket(asio::io_context& io, const std::string& own_path, const std::string& other_path);
    FrameSocket(const FrameSocket&) = delete;
    FrameSocket& operator=(const FrameSocket&) = delete;
    ~FrameSocket();  // and removes its path

    // `frame` is not empty: an empty datagram ends QEMU's side. One system call.
    [[nodiscard]] Handover send(FrameBytes frame);
    // What came in next, valid until the next call; nothing for now: wait with socket(). Longer than kFrameBytesMax where the datagram was.
    [[nodiscard]] std::optional<FrameBytes> receive();
    // For waiting only.
    [[nodiscard]] asio::local::datagram_protocol::socket& socket() { return socket_; }

  private:
    std::string own_path_;
    asio::local::datagram_protocol::endpoint other_;
    asio::local::datagram_protocol::socket socket_;
    std::vector<std::byte> buffer_;
};

}  // namespace dunlin_wire
