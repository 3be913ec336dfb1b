#pragma once

#include "frame.hpp"
#include "mac_address.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/network_v4.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <optional>
#include <vector>

namespace dunlin_wire {

struct TapSettings {
    asio::ip::network_v4 address;
    MacAddress mac;
    unsigned mtu = 1500;  // 68..kMtuMax
};

// The network card "wire0" of this process's network: what the kernel sends there is read here, what is written here comes in there.
// It is up, so is the loopback, and it goes with this object. It speaks no IPv6, whose announcements would be frames that nobody sent.
// Nothing blocks.
class TapDevice {
  public:
    // Throws ToolError: there is no /dev/net/tun, or no privilege for it, or the kernel refuses a setting.
    TapDevice(asio::io_context& io, const TapSettings& settings);

    // The next frame that was sent, valid until the next call; nothing for now: wait with descriptor().
    [[nodiscard]] std::optional<FrameBytes> receive();
    // What the kernel does not take, because it is no frame or its queue is full, is gone, as at any card.
    void send(FrameBytes frame);
    // For waiting only.
    [[nodiscard]] asio::posix::stream_descriptor& descriptor() { return descriptor_; }

  private:
    asio::posix::stream_descriptor descriptor_;
    std::vector<std::byte> buffer_;
};

}  // namespace dunlin_wire
