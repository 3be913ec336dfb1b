#include "frame_socket.hpp"

#include "tool_error.hpp"

#include <dunlin/core/assert.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace dunlin_wire {
namespace {

using Protocol = asio::local::datagram_protocol;
using dunlin_tool::kCannotStart;
using dunlin_tool::kUsage;
using dunlin_tool::ToolError;

Protocol::endpoint endpoint_at(const std::string& path) {
    constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty()) throw ToolError(kUsage, "the path of a socket must not be empty.");
    if (path.size() > kPathBytesMax) {
        throw ToolError(kUsage,
                        "the path '" + path + "' is too long for a Unix socket, which has " + std::to_string(kPathBytesMax) + " bytes.");
    }
    return Protocol::endpoint(path);
}

// Closed in a process that this one becomes or starts.
Protocol::socket open_socket(asio::io_context& io) {
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) throw ToolError(kCannotStart, std::string("cannot make a Unix socket: ") + std::strerror(errno) + ".");
    Protocol::socket socket(io, Protocol(), descriptor);
    socket.non_blocking(true);
    return socket;
}

// Frees a path that is left over from a process that died.
void free_path(asio::io_context& io, const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    Protocol::socket probe = open_socket(io);
    std::error_code error;
    probe.connect(endpoint_at(path), error);
    if (!error) throw ToolError(kCannotStart, "the socket '" + path + "' is in use by another process.");
    ::unlink(path.c_str());
}

}  // namespace

FrameSocket::FrameSocket(asio::io_context& io, const std::string& own_path, const std::string& other_path)
    : own_path_(own_path), other_(endpoint_at(other_path)), socket_(open_socket(io)), buffer_(kFrameBytesMax + 1) {
    const Protocol::endpoint own = endpoint_at(own_path);
    free_path(io, own_path);
    std::error_code error;
    socket_.bind(own, error);
    if (error) throw ToolError(kCannotStart, "cannot make the socket '" + own_path + "': " + error.message() + ".");
}

FrameSocket::~FrameSocket() { ::unlink(own_path_.c_str()); }

Handover FrameSocket::send(FrameBytes frame) {
    DUNLIN_ASSERT(!frame.empty());
    std::error_code error;
    socket_.send_to(asio::buffer(frame.data(), frame.size()), other_, 0, error);
    if (!error) return Handover::taken;
    // The queue at the other end (ten datagrams as Linux is set up), or what the kernel lends this socket, is used up.
    const bool behind = error == asio::error::would_block || error == asio::error::no_buffer_space;
    return behind ? Handover::full : Handover::absent;
}

std::optional<FrameBytes> FrameSocket::receive() {
    std::error_code error;
    const std::size_t count = socket_.receive(asio::buffer(buffer_), 0, error);
    if (error) return std::nullopt;
    return FrameBytes(buffer_).first(count);
}

}  // namespace dunlin_wire
