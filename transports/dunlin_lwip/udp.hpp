#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/io.hpp>

#include <dunlin_lwip/address.hpp>
#include <dunlin_lwip/ethernet.hpp>
#include <dunlin_lwip/path_table.hpp>
#include <dunlin_lwip/port.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

struct pbuf;
struct udp_pcb;

namespace dunlin_lwip {

struct UdpOptions {
    std::string_view address{};                  // this board's own, "a.b.c.d:port"
    std::string_view netmask = "255.255.255.0";  // of 1 to 30 ones
    std::string_view gateway{};                  // "a.b.c.d" in the own network; empty: only the own network is reached
    port::MacAddress mac{};                      // of this board; 0: 02:00 and the four bytes of its address
    std::uint16_t packet_bytes_max = 1472;       // Options::packet_bytes_max of the node..1472
    std::uint32_t loss_ppm = 0;                  // injected loss on sending, 0..1,000,000
    std::uint64_t loss_seed = 0;
};

// One UDP port over lwIP's raw API, IPv4, as the node's transport. The node writes its packets straight into lwIP's buffers and reads received
// ones where they lie. All memory is lwIP's pools and this object. Used by one thread, never from an interrupt.
class Udp {
  public:
    static constexpr std::size_t kFramesPerRead = 16;

    struct Figures {
        std::uint64_t datagrams_received = 0;
        std::uint64_t bytes_received = 0;
        std::uint64_t datagrams_too_long = 0;  // longer than any packet of ours: dropped
        std::uint64_t datagrams_no_path = 0;   // no answer can reach its source, or every path is dialled: dropped
        std::uint64_t datagrams_sent = 0;      // those too that are lost because nobody tells the Ethernet address that they wait for
        std::uint64_t bytes_sent = 0;
        std::uint64_t datagrams_dropped = 0;  // injected loss
        std::uint64_t datagrams_refused =
            0;                            // lost like any packet: too much waits for Ethernet addresses already, or there is no way there
        std::uint64_t times_blocked = 0;  // no room in the controller
    };

    constexpr Udp() = default;
    Udp(const Udp&) = delete;
    Udp& operator=(const Udp&) = delete;

    // Starts lwIP and the controller, and takes the port. invalid_argument: `reason` is a sentence that names the option. device_error: there is
    // no Ethernet controller. Once, or again after close(). O(1).
    dunlin::Status open(const UdpOptions& options, std::string_view& reason);
    void close();

    [[nodiscard]] Endpoint local_endpoint() const { return local_; }

    // ---- Receiving --------------------------------------------------------------------------------------------
    struct Received {
        dunlin::PathId path{};
        dunlin::PathId evicted{};            // the path that is gone to make room for it, or 0; tell the node first
        std::span<const std::byte> bytes{};  // valid during the call
    };
    [[nodiscard]] bool has_input() const { return port::frame_waiting() > 0; }
    // Takes at most kFramesPerRead frames from the controller and hands the datagrams for this port to `sink`; returns how many frames.
    std::size_t receive(dunlin::Callback<void(const Received&)> sink);

    // ---- Sending ----------------------------------------------------------------------------------------------
    // Where the next packet is written, packet_bytes_max long; empty under back-pressure (the controller has not taken the packet
    // before). Nothing tells when that ends: ask again.
    [[nodiscard]] std::span<std::byte> next_buffer();
    // Sends what is in next_buffer(), or keeps it while the controller has no room. False: the path is unknown, nothing is sent. A packet to
    // an address whose Ethernet address is not known waits for that in lwIP's memory, where there is enough (of several to one address the
    // latest), and holds back no other.
    bool push(const dunlin::Transmit& packet);
    [[nodiscard]] bool all_sent() const { return !waiting_; }

    // ---- Paths ------------------------------------------------------------------------------------------------
    // A path to keep. `path` 0: an address that cannot be reached from here.
    [[nodiscard]] PathTable::Found dial(const Endpoint& endpoint);

    // ---- Time -------------------------------------------------------------------------------------------------
    void pass_time(dunlin::Instant now) { ethernet_.pass_time(now); }                          // see Ethernet
    [[nodiscard]] dunlin::Instant next_deadline() const { return ethernet_.next_deadline(); }  // kNever: nothing to do by itself

    [[nodiscard]] const Figures& figures() const { return figures_; }
    [[nodiscard]] const Ethernet::Figures& ethernet_figures() const { return ethernet_.figures(); }

  private:
    struct Raw;  // what lwIP calls

    [[nodiscard]] dunlin::Status read(const UdpOptions& options, std::string_view& reason);
    void take(const Endpoint& from, const pbuf& datagram);
    [[nodiscard]] bool reaches(Ipv4Address address) const;
    void ask_and_send_later(const Endpoint& to, Ipv4Address neighbour);
    [[nodiscard]] bool send();                                         // false: its path is unknown
    [[nodiscard]] bool hand_over(pbuf& datagram, const Endpoint& to);  // false: the controller has no room

    Ethernet ethernet_;
    std::optional<PathTable> paths_;  // from open() on: all zeros until then, so that flash need not hold it
    Network network_{};
    Endpoint local_{};
    udp_pcb* port_ = nullptr;
    pbuf* packet_ = nullptr;                                         // the one that is being written, or waits for the controller
    dunlin::PathId path_{};                                          // of the one that waits
    const dunlin::Callback<void(const Received&)>* sink_ = nullptr;  // during receive()
    std::optional<dunlin::Random> loss_;
    std::uint32_t loss_ppm_ = 0;
    std::uint16_t packet_bytes_max_ = 0;
    bool waiting_ = false;
    Figures figures_;
};

}  // namespace dunlin_lwip
