#include <dunlin_lwip/ethernet.hpp>

#include <dunlin/core/assert.hpp>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>

#include <cstddef>
#include <cstring>
#include <span>

namespace dunlin_lwip {
namespace {

constexpr std::size_t kReadBytesMin =
    port::kFrameBytesMin + 28;  // an ARP packet; lwIP 2.1 reads as much of one before it has seen how long it is
using port::kFrameBytesMax;
constexpr std::uint16_t kMtu = 1500;
static_assert(PBUF_POOL_BUFSIZE >= kFrameBytesMax + ETH_PAD_SIZE, "a received frame is one buffer");
static_assert(ARP_TABLE_SIZE >= 8 && ARP_TABLE_SIZE < 128, "DUNLIN_LWIP_NEIGHBOURS: 8 to 127");
static_assert(PBUF_POOL_SIZE >= 1 && MEM_SIZE >= 2 * (kFrameBytesMax + ETH_PAD_SIZE), "DUNLIN_LWIP_SEND_PACKETS: 2 or more");

constexpr dunlin::Duration kTick = dunlin::milliseconds{ARP_TMR_INTERVAL};
constexpr std::uint8_t kTicksOwed = 6;  // lwIP gives a question up after five
constexpr unsigned kTicksMax = 300;     // by then lwIP has forgotten everything

netif interface;
bool stack_started = false;

ip4_addr_t to_lwip(Ipv4Address address) { return {.addr = lwip_htonl(address.value)}; }

bool asks_for_an_address(std::span<const std::byte> frame) {
    constexpr std::size_t kOpcodeAt = SIZEOF_ETH_HDR - ETH_PAD_SIZE + 6;
    const auto u16_at = [frame](std::size_t at) {
        return (std::to_integer<unsigned>(frame[at]) << 8) | std::to_integer<unsigned>(frame[at + 1]);
    };
    return frame.size() >= kReadBytesMin && u16_at(12) == ETHTYPE_ARP && u16_at(kOpcodeAt) == ARP_REQUEST;
}

}  // namespace

struct Ethernet::Raw {
    static err_t start(netif* started) {
        started->name[0] = 'e';
        started->name[1] = 't';
        started->mtu = kMtu;
        started->hwaddr_len = ETH_HWADDR_LEN;
        started->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
        started->output = etharp_output;
        started->linkoutput = send;
        return ERR_OK;
    }
    static err_t send(netif* from, pbuf* frame) {
        return static_cast<Ethernet*>(from->state)->send_frame(*frame) ? ERR_OK : ERR_WOULDBLOCK;
    }
};

dunlin::Status Ethernet::open(const Network& network) {
    DUNLIN_ASSERT(netif_default == nullptr);
    if (!port::ethernet_open(network.mac)) return dunlin::Status::device_error;
    if (!stack_started) lwip_init();
    stack_started = true;
    ticked_at_ = port::now();
    std::memcpy(interface.hwaddr, network.mac.data(), sizeof interface.hwaddr);
    const ip4_addr_t address = to_lwip(network.address);
    const ip4_addr_t netmask = to_lwip(network.netmask);
    const ip4_addr_t gateway = to_lwip(network.gateway);
    netif_add(&interface, &address, &netmask, &gateway, this, Raw::start, ethernet_input);
    netif_set_default(&interface);
    netif_set_link_up(&interface);
    netif_set_up(&interface);  // tells the network that this address is here, so that nobody goes on with a board's before
    return dunlin::Status::ok;
}

void Ethernet::close() { netif_remove(&interface); }

bool Ethernet::take_frame() {
    const std::size_t bytes = port::frame_waiting();
    if (bytes == 0) return false;
    ++figures_.frames_received;
    if (bytes < kReadBytesMin || bytes > kFrameBytesMax) {
        ++figures_.frames_malformed;
        port::read_frame({});
        return true;
    }
    pbuf* frame = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(ETH_PAD_SIZE + bytes), PBUF_POOL);
    if (frame == nullptr) {
        ++figures_.frames_no_memory;
        port::read_frame({});
        return true;
    }
    port::read_frame(std::span(static_cast<std::byte*>(frame->payload) + ETH_PAD_SIZE, bytes));
    if (interface.input(frame, &interface) != ERR_OK) pbuf_free(frame);
    return true;
}

bool Ethernet::send_frame(const pbuf& frame) {
    const std::size_t bytes = frame.tot_len - ETH_PAD_SIZE;
    const std::span first(static_cast<const std::byte*>(frame.payload) + ETH_PAD_SIZE, frame.len - ETH_PAD_SIZE);
    if (asks_for_an_address(first)) ticks_owed_ = kTicksOwed;
    if (!port::begin_frame(bytes)) {
        ++figures_.frames_blocked;
        return false;
    }
    port::append_frame(first);
    for (const pbuf* part = frame.next; part != nullptr; part = part->next) {
        port::append_frame(std::span(static_cast<const std::byte*>(part->payload), part->len));
    }
    ++figures_.frames_sent;
    return true;
}

bool Ethernet::knows(Ipv4Address neighbour) const {
    const ip4_addr_t address = to_lwip(neighbour);
    eth_addr* mac = nullptr;
    const ip4_addr_t* known = nullptr;
    return etharp_find_addr(&interface, &address, &mac, &known) >= 0;
}

bool Ethernet::may_ask(bool wanted) {
    if (wanted) return true;
    if (unwanted_asked_) return false;
    unwanted_asked_ = true;
    return true;
}

void Ethernet::ask(Ipv4Address neighbour) {
    const ip4_addr_t address = to_lwip(neighbour);
    etharp_request(&interface, &address);
}

void Ethernet::pass_time(dunlin::Instant now) {
    if (now - ticked_at_ > kTicksMax * kTick) ticked_at_ = now - kTicksMax * kTick;
    for (; now - ticked_at_ >= kTick; ticked_at_ += kTick) {
        if (ticks_owed_ > 0) --ticks_owed_;
        unwanted_asked_ = false;
        etharp_tmr();
    }
}

dunlin::Instant Ethernet::next_deadline() const { return ticks_owed_ > 0 ? ticked_at_ + kTick : dunlin::kNever; }

}  // namespace dunlin_lwip
