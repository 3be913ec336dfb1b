#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>

#include <dunlin_lwip/address.hpp>
#include <dunlin_lwip/port.hpp>

#include <cstddef>
#include <cstdint>

struct netif;
struct pbuf;

namespace dunlin_lwip {

// Where a board stands in its network. All of it is fixed: there is no DHCP.
struct Network {
    Ipv4Address address{};
    Ipv4Address netmask{};
    Ipv4Address gateway{};  // 0: none, only the own network is reached
    port::MacAddress mac{};
};

// lwIP's one network interface, over the Ethernet controller of the board's port. There is one in a program, as lwIP's own state is
// global. A received frame is read straight into lwIP's buffer, a sent one handed to the controller piece by piece: no copy between.
class Ethernet {
  public:
    struct Figures {
        std::uint64_t frames_received = 0;
        std::uint64_t frames_sent = 0;
        std::uint64_t frames_malformed = 0;  // too short or too long for what a network of ours carries: dropped
        std::uint64_t frames_no_memory = 0;  // lwIP had no buffer for one that came: dropped
        std::uint64_t frames_blocked = 0;    // the controller had no room for one that was to be sent
    };

    constexpr Ethernet() = default;
    Ethernet(const Ethernet&) = delete;
    Ethernet& operator=(const Ethernet&) = delete;

    // Starts the controller and lwIP. device_error: there is no controller. Not while one is open.
    dunlin::Status open(const Network& network);
    // Takes the interface out of lwIP; open() may follow.
    void close();

    // Takes the oldest received frame out of the controller and has lwIP deal with it, which calls whoever it is for. False: none waits.
    bool take_frame();

    // Whether the Ethernet address of one in the own network is known, so that a packet to it need not wait.
    [[nodiscard]] bool knows(Ipv4Address neighbour) const;
    // Whether one that is not known may be asked for: a neighbour that this board wants to reach (`wanted`) always, of others one a second. So
    // answers to addresses that do not exist, which anybody can cause, take only some of the addresses that are remembered, and of the memory.
    [[nodiscard]] bool may_ask(bool wanted);
    // Asks for it, for what is sent later.
    void ask(Ipv4Address neighbour);
    // Of lwIP's memory, for ARP's own frames: who lets packets wait there leaves so much.
    static constexpr std::size_t kArpReserve = 128;

    // lwIP's own time, in which addresses are asked for again and forgotten. It stands still between calls and catches up in them, so
    // that nobody need wake up for it but while an answer is owed: by next_deadline(). Cheap where no second has passed.
    void pass_time(dunlin::Instant now);
    [[nodiscard]] dunlin::Instant next_deadline() const;

    [[nodiscard]] const Figures& figures() const { return figures_; }

  private:
    struct Raw;  // what lwIP calls

    [[nodiscard]] bool send_frame(const pbuf& frame);

    Figures figures_;
    dunlin::Instant ticked_at_{};
    std::uint8_t ticks_owed_ = 0;  // for how many seconds lwIP may have to ask again
    bool unwanted_asked_ = false;  // in this second
};

}  // namespace dunlin_lwip
