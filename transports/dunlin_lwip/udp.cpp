#include <dunlin_lwip/udp.hpp>

#include <dunlin/core/assert.hpp>

#include <lwip/pbuf.h>
#include <lwip/udp.h>

#include <cstring>

namespace dunlin_lwip {
namespace {

constexpr std::uint16_t kPacketBytesMax = 1472;
constexpr std::uint32_t kMillion = 1'000'000;

bool in_network(Ipv4Address address, const Network& network) {
    return ((address.value ^ network.address.value) & network.netmask.value) == 0;
}

// Whether `address` is one that a host of the network may have: neither all zeros nor all ones behind the mask.
bool is_host(Ipv4Address address, Ipv4Address netmask) {
    const std::uint32_t host = address.value & ~netmask.value;
    return host != 0 && host != ~netmask.value;
}

port::MacAddress mac_of(Ipv4Address address) {
    port::MacAddress mac{0x02};  // given out locally
    for (unsigned i = 0; i < 4; ++i) mac[2 + i] = static_cast<std::uint8_t>(address.value >> (24 - 8 * i));
    return mac;
}

}  // namespace

struct Udp::Raw {
    static void take(void* self, udp_pcb*, pbuf* datagram, const ip_addr_t* from, u16_t port) {
        const Endpoint endpoint{.address = {lwip_ntohl(from->addr)}, .port = port};
        static_cast<Udp*>(self)->take(endpoint, *datagram);
        pbuf_free(datagram);
    }
};

dunlin::Status Udp::open(const UdpOptions& options, std::string_view& reason) {
    DUNLIN_ASSERT(port_ == nullptr);
    if (const dunlin::Status status = read(options, reason); status != dunlin::Status::ok) return status;
    if (ethernet_.open(network_) != dunlin::Status::ok) {
        reason = "the board has no Ethernet controller";
        return dunlin::Status::device_error;
    }
    const ip_addr_t address{.addr = lwip_htonl(local_.address.value)};
    port_ = udp_new();
    DUNLIN_ASSERT(port_ != nullptr);
    const err_t bound = udp_bind(port_, &address, local_.port);
    DUNLIN_ASSERT(bound == ERR_OK);
    udp_recv(port_, Raw::take, this);
    packet_ = pbuf_alloc(PBUF_TRANSPORT, packet_bytes_max_, PBUF_RAM);
    DUNLIN_ASSERT(packet_ != nullptr);
    return dunlin::Status::ok;
}

void Udp::close() {
    pbuf_free(packet_);
    packet_ = nullptr;
    waiting_ = false;
    udp_remove(port_);
    port_ = nullptr;
    ethernet_.close();
}

dunlin::Status Udp::read(const UdpOptions& options, std::string_view& reason) {
    const auto refuse = [&reason](std::string_view sentence) {
        reason = sentence;
        return dunlin::Status::invalid_argument;
    };
    const std::optional<Endpoint> local = parse_endpoint(options.address);
    if (!local) return refuse("address: write a.b.c.d:port, with a port of 1 to 65535");
    const std::optional<Ipv4Address> netmask = parse_ipv4(options.netmask);
    if (!netmask || !is_netmask(*netmask)) return refuse("netmask: write a.b.c.d, of 1 to 30 ones and then zeros");
    if (!is_unicast(local->address) || !is_host(local->address, *netmask)) return refuse("address: no single board can have this one");
    network_ = {.address = local->address, .netmask = *netmask, .mac = options.mac};
    if (!options.gateway.empty()) {
        const std::optional<Ipv4Address> gateway = parse_ipv4(options.gateway);
        if (!gateway) return refuse("gateway: write a.b.c.d, or nothing where there is none");
        const bool neighbour = in_network(*gateway, network_) && is_host(*gateway, *netmask) && *gateway != local->address;
        if (!neighbour) return refuse("gateway: it must be another address in the own network");
        network_.gateway = *gateway;
    }
    if (network_.mac == port::MacAddress{}) network_.mac = mac_of(local->address);
    if ((network_.mac[0] & 1U) != 0) return refuse("mac: that of a board has an even first byte; others are of groups");
    if (options.packet_bytes_max == 0 || options.packet_bytes_max > kPacketBytesMax) return refuse("packet_bytes_max: 1 to 1472");
    if (options.loss_ppm > kMillion) return refuse("loss_ppm: 0 to 1,000,000");
    local_ = *local;
    packet_bytes_max_ = options.packet_bytes_max;
    loss_ppm_ = options.loss_ppm;
    loss_.emplace(options.loss_seed);
    if (!paths_) paths_.emplace();  // not once more: a path that was known before close() is the same after it
    return dunlin::Status::ok;
}

std::size_t Udp::receive(dunlin::Callback<void(const Received&)> sink) {
    sink_ = &sink;
    std::size_t frames = 0;
    while (frames < kFramesPerRead && ethernet_.take_frame()) ++frames;
    sink_ = nullptr;
    return frames;
}

void Udp::take(const Endpoint& from, const pbuf& datagram) {
    ++figures_.datagrams_received;
    figures_.bytes_received += datagram.tot_len;
    // One that lies in several buffers is longer than any packet: a frame is one buffer (ethernet.cpp).
    if (datagram.tot_len > packet_bytes_max_ || datagram.next != nullptr) {
        ++figures_.datagrams_too_long;
        return;
    }
    const PathTable::Found found = reaches(from.address) ? paths_->received_from(from) : PathTable::Found{};
    if (found.path == dunlin::PathId{}) {
        ++figures_.datagrams_no_path;
        return;
    }
    DUNLIN_ASSERT(sink_ != nullptr);
    (*sink_)({.path = found.path, .evicted = found.evicted, .bytes = {static_cast<const std::byte*>(datagram.payload), datagram.len}});
}

std::span<std::byte> Udp::next_buffer() {
    if (waiting_) static_cast<void>(send());  // where its path has made room for another one meanwhile, it is lost with it
    if (waiting_) return {};
    return {static_cast<std::byte*>(packet_->payload), packet_bytes_max_};
}

bool Udp::push(const dunlin::Transmit& packet) {
    DUNLIN_ASSERT(packet_ != nullptr && !waiting_ && packet.bytes <= packet_bytes_max_);
    if (loss_ppm_ > 0 && loss_->below(kMillion) < loss_ppm_) {
        ++figures_.datagrams_dropped;
        return true;
    }
    packet_->len = packet_->tot_len = static_cast<u16_t>(packet.bytes);
    path_ = packet.path;
    return send();
}

// Looks each time whether the Ethernet address is known: while the controller had no room it may have been forgotten, and where lwIP has to ask it
// would keep the packet itself.
bool Udp::send() {
    waiting_ = false;
    const Endpoint* to = paths_->find(path_);
    if (to == nullptr) return false;
    const Ipv4Address neighbour = in_network(to->address, network_) ? to->address : network_.gateway;
    if (!ethernet_.knows(neighbour)) {
        ask_and_send_later(*to, neighbour);
        return true;
    }
    static_cast<void>(paths_->send_to(path_));
    const u16_t bytes = packet_->len;
    waiting_ = !hand_over(*packet_, *to);
    pbuf_remove_header(packet_, packet_->len - bytes);  // off with the headers, or the next ones are written in front of them
    DUNLIN_ASSERT(packet_->ref == 1);
    return true;
}

// lwIP asks for the address, and keeps a copy until it is known: one for each address, and all of them only for as long as lwIP asks.
void Udp::ask_and_send_later(const Endpoint& to, Ipv4Address neighbour) {
    const u16_t bytes = packet_->len;
    pbuf* copy = nullptr;
    if (ethernet_.may_ask(paths_->dialled(path_) || neighbour == network_.gateway)) {
        copy = pbuf_alloc(PBUF_TRANSPORT, static_cast<u16_t>(bytes + Ethernet::kArpReserve), PBUF_RAM);
        if (copy == nullptr) ethernet_.ask(neighbour);  // for the next packet
    }
    if (copy == nullptr) {
        ++figures_.datagrams_refused;
        return;
    }
    std::memcpy(copy->payload, packet_->payload, bytes);
    pbuf_realloc(copy, bytes);
    static_cast<void>(hand_over(*copy, to));
    pbuf_free(copy);
}

bool Udp::hand_over(pbuf& datagram, const Endpoint& to) {
    const u16_t bytes = datagram.len;
    const ip_addr_t address{.addr = lwip_htonl(to.address.value)};
    const err_t sent = udp_sendto(port_, &datagram, &address, to.port);
    if (sent == ERR_WOULDBLOCK) {
        ++figures_.times_blocked;
        return false;
    }
    if (sent == ERR_OK) {
        ++figures_.datagrams_sent;
        figures_.bytes_sent += bytes;
    } else {
        ++figures_.datagrams_refused;
    }
    return true;
}

PathTable::Found Udp::dial(const Endpoint& endpoint) {
    if (!is_unicast(endpoint.address) || endpoint.port == 0 || !reaches(endpoint.address)) return {};
    return paths_->dial(endpoint);
}

bool Udp::reaches(Ipv4Address address) const {
    if (in_network(address, network_)) return is_host(address, network_.netmask);
    return network_.gateway != Ipv4Address{} && !is_link_local(address);
}

}  // namespace dunlin_lwip
