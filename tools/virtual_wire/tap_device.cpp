#include "tap_device.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>

namespace dunlin_wire {
namespace {

using dunlin_tool::kCannotStart;
using dunlin_tool::ToolError;

constexpr const char* kName = "wire0";

ifreq request_for(const char* device) {
    ifreq request{};
    std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    return request;
}

int open_tap() {
    constexpr const char* kPath = "/dev/net/tun";
    const int descriptor = ::open(kPath, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        throw ToolError(kCannotStart, std::string("cannot open ") + kPath + ", which a TAP needs: " + std::strerror(errno) + ".");
    ifreq request = request_for(kName);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(descriptor, TUNSETIFF, &request) == 0) return descriptor;
    const int error = errno;
    ::close(descriptor);
    throw ToolError(kCannotStart, std::string("cannot make a TAP with ") + kPath + ": " + std::strerror(error) + ".");
}

// Any socket will do to ask for the settings of devices.
class DeviceSettings {
  public:
    DeviceSettings() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (socket_ < 0) throw ToolError(kCannotStart, std::string("cannot make a socket: ") + std::strerror(errno) + ".");
    }
    DeviceSettings(const DeviceSettings&) = delete;
    DeviceSettings& operator=(const DeviceSettings&) = delete;
    ~DeviceSettings() { ::close(socket_); }

    void set_mac(MacAddress mac) {
        ifreq request = request_for(kName);
        request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        const auto bytes = bytes_of(mac);
        std::memcpy(request.ifr_hwaddr.sa_data, bytes.data(), bytes.size());
        set(SIOCSIFHWADDR, request, "MAC address");
    }
    void set_mtu(unsigned mtu) {
        ifreq request = request_for(kName);
        request.ifr_mtu = static_cast<int>(mtu);
        set(SIOCSIFMTU, request, "MTU");
    }
    void set_address(unsigned long what, const asio::ip::address_v4& address, const char* called) {
        ifreq request = request_for(kName);
        sockaddr_in wanted{};
        wanted.sin_family = AF_INET;
        wanted.sin_addr.s_addr = htonl(address.to_uint());
        std::memcpy(&request.ifr_addr, &wanted, sizeof wanted);
        set(what, request, called);
    }
    void bring_up(const char* device) {
        ifreq request = request_for(device);
        request.ifr_flags = IFF_UP;
        set(SIOCSIFFLAGS, request, "being up");
    }

  private:
    void set(unsigned long what, ifreq& request, const char* called) {
        if (::ioctl(socket_, what, &request) == 0) return;
        throw ToolError(kCannotStart,
                        std::string("cannot set the ") + called + " of " + request.ifr_name + ": " + std::strerror(errno) + ".");
    }
    int socket_;
};

// A wish: with it there are a few frames more.
void speak_no_ipv6() {
    const std::string path = std::string("/proc/sys/net/ipv6/conf/") + kName + "/disable_ipv6";
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    static_cast<void>(!::write(descriptor, "1", 1));
    ::close(descriptor);
}

}  // namespace

TapDevice::TapDevice(asio::io_context& io, const TapSettings& settings) : descriptor_(io, open_tap()), buffer_(kFrameBytesMax) {
    DeviceSettings devices;
    speak_no_ipv6();
    devices.set_mac(settings.mac);
    devices.set_mtu(settings.mtu);
    devices.set_address(SIOCSIFADDR, settings.address.address(), "address");
    devices.set_address(SIOCSIFNETMASK, settings.address.netmask(), "netmask");
    devices.bring_up(kName);
    devices.bring_up("lo");
}

std::optional<FrameBytes> TapDevice::receive() {
    const ssize_t count = ::read(descriptor_.native_handle(), buffer_.data(), buffer_.size());
    if (count <= 0) return std::nullopt;
    return FrameBytes(buffer_).first(static_cast<std::size_t>(count));
}

void TapDevice::send(FrameBytes frame) { static_cast<void>(!::write(descriptor_.native_handle(), frame.data(), frame.size())); }

}  // namespace dunlin_wire
