#include "lwip/frames.hpp"

#include <algorithm>
#include <cstring>

namespace lwip_test {
namespace {

constexpr char kArpHead[] = {0, 1, 8, 0, 6, 4, 0};  // Ethernet, IPv4, and the high half of the operation

void put_u16(std::string& out, std::size_t value) {
    out.push_back(static_cast<char>(value >> 8));
    out.push_back(static_cast<char>(value));
}

void put_u32(std::string& out, std::uint32_t value) {
    put_u16(out, value >> 16);
    put_u16(out, value & 0xffff);
}

void put_mac(std::string& out, const MacAddress& mac) {
    for (const std::uint8_t byte : mac) out.push_back(static_cast<char>(byte));
}

std::uint16_t u16_at(std::string_view in, std::size_t at) {
    return static_cast<std::uint16_t>((static_cast<std::uint8_t>(in[at]) << 8) | static_cast<std::uint8_t>(in[at + 1]));
}

std::uint32_t u32_at(std::string_view in, std::size_t at) { return (std::uint32_t{u16_at(in, at)} << 16) | u16_at(in, at + 2); }

MacAddress mac_at(std::string_view in, std::size_t at) {
    MacAddress mac;
    std::memcpy(mac.data(), in.data() + at, mac.size());
    return mac;
}

std::string_view text_of(const Frame& frame) { return {reinterpret_cast<const char*>(frame.data()), frame.size()}; }

Frame frame_of(std::string_view text) {
    Frame frame(text.size());
    std::memcpy(frame.data(), text.data(), text.size());
    return frame;
}

std::string pseudo_header(Ipv4Address from, Ipv4Address to, std::size_t udp_bytes) {
    std::string out;
    put_u32(out, from.value);
    put_u32(out, to.value);
    put_u16(out, 17);
    put_u16(out, udp_bytes);
    return out;
}

void put_checksum(std::string& out, std::size_t at, std::uint16_t value) {
    out[at] = static_cast<char>(value >> 8);
    out[at + 1] = static_cast<char>(value);
}

}  // namespace

std::uint16_t checksum(std::string_view bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]) << 8);
        if (i + 1 < bytes.size()) sum += static_cast<std::uint8_t>(bytes[i + 1]);
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

Frame write(const Arp& arp) {
    std::string out;
    put_mac(out, arp.frame_to);
    put_mac(out, arp.sender_mac);
    put_u16(out, 0x0806);
    out.append(kArpHead, sizeof kArpHead);
    out.push_back(arp.reply ? 2 : 1);
    put_mac(out, arp.sender_mac);
    put_u32(out, arp.sender.value);
    put_mac(out, arp.target_mac);
    put_u32(out, arp.target.value);
    return frame_of(out);
}

std::optional<Arp> read_arp(const Frame& frame) {
    const std::string_view in = text_of(frame);
    if (in.size() < 42 || u16_at(in, 12) != 0x0806 || in.substr(14, sizeof kArpHead) != std::string_view(kArpHead, sizeof kArpHead))
        return {};
    return Arp{.frame_to = mac_at(in, 0),
               .reply = in[21] == 2,
               .sender_mac = mac_at(in, 22),
               .sender = {u32_at(in, 28)},
               .target_mac = mac_at(in, 32),
               .target = {u32_at(in, 38)}};
}

Frame write(const Datagram& datagram) {
    std::string ip;
    put_u16(ip, 0x4500);
    put_u16(ip, 20 + 8 + datagram.payload.size());
    put_u32(ip, 0);
    put_u32(ip, 0x40110000);
    put_u32(ip, datagram.from.address.value);
    put_u32(ip, datagram.to.address.value);
    put_checksum(ip, 10, checksum(ip));

    std::string udp;
    put_u16(udp, datagram.from.port);
    put_u16(udp, datagram.to.port);
    put_u16(udp, 8 + datagram.payload.size());
    put_u16(udp, 0);
    udp += datagram.payload;
    const std::uint16_t sum = checksum(pseudo_header(datagram.from.address, datagram.to.address, udp.size()) + udp);
    put_checksum(udp, 6, sum == 0 ? 0xffff : sum);

    std::string out;
    put_mac(out, datagram.mac_to);
    put_mac(out, datagram.mac_from);
    put_u16(out, 0x0800);
    return frame_of(out + ip + udp);
}

std::optional<Datagram> read_datagram(const Frame& frame) {
    const std::string_view in = text_of(frame);
    if (in.size() < kPayloadAt || u16_at(in, 12) != 0x0800 || in[kIpAt] != 0x45 || in[kIpAt + 9] != 17) return {};
    const std::string_view ip = in.substr(kIpAt);
    if (u16_at(ip, 2) != ip.size() || checksum(ip.substr(0, 20)) != 0 || (u16_at(ip, 6) & 0x3fff) != 0) return {};
    const std::string_view udp = ip.substr(20);
    const Ipv4Address from{u32_at(ip, 12)};
    const Ipv4Address to{u32_at(ip, 16)};
    if (u16_at(udp, 4) != udp.size() || u16_at(udp, 6) == 0) return {};
    if (checksum(pseudo_header(from, to, udp.size()) + std::string(udp)) != 0) return {};
    return Datagram{.mac_from = mac_at(in, 6),
                    .mac_to = mac_at(in, 0),
                    .from = {from, u16_at(udp, 0)},
                    .to = {to, u16_at(udp, 2)},
                    .payload = std::string(udp.substr(8))};
}

}  // namespace lwip_test
