#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/random.hpp>

#include <dunlin_asio/address.hpp>

#include <sys/socket.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin_asio {

// Packets on their way from Node::poll_transmit() to the kernel. The node writes into next_buffer(), push() keeps the packet,
// flush() sends all of them with as few system calls as it can. What the kernel has no room for stays, in order, and the node
// is not asked for more: back-pressure, not loss. No allocation after construction.
class SendQueue {
  public:
    // Sends the first packets of `batch`: how many, or minus errno where not even the first went (as sendmmsg(2)).
    using SendBatch = dunlin::Callback<int(std::span<mmsghdr>)>;
    struct Options {
        std::size_t packets_max = 64;
        std::size_t packet_bytes_max = 1472;
        std::uint32_t loss_ppm = 0;  // injected: this many of a million packets are dropped instead of sent
        std::uint64_t loss_seed = 0;
    };
    struct Figures {
        std::uint64_t datagrams_sent = 0;
        std::uint64_t bytes_sent = 0;
        std::uint64_t datagrams_dropped = 0;  // injected loss
        std::uint64_t datagrams_refused = 0;  // the kernel would not send it (no route, firewall): lost like any packet
        std::uint64_t times_blocked = 0;      // the kernel had no room
    };
    SendQueue(const Options& options, SendBatch send_batch);
    SendQueue(const SendQueue&) = delete;
    SendQueue& operator=(const SendQueue&) = delete;

    // Where the next packet goes, `packet_bytes_max` long; empty while full.
    [[nodiscard]] std::span<std::byte> next_buffer();
    // Keeps what was written into next_buffer(), or drops it by injected loss.
    void push(const Endpoint& to, std::size_t bytes);

    enum class Flushed : std::uint8_t {
        all,
        blocked,    // the socket's buffer is full: wait until it can be written to
        no_memory,  // the kernel or the device queue is out of buffers: try again a little later
    };
    Flushed flush();
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] const Figures& figures() const { return figures_; }

  private:
    struct Packet {
        Endpoint to{};
        iovec part{};
    };
    void sent(std::size_t packets);
    void pop(std::size_t packets);

    Options options_;
    SendBatch send_batch_;
    std::vector<std::byte> bytes_;
    std::vector<Packet> packets_;   // a ring; packet i owns the i-th share of bytes_
    std::vector<mmsghdr> headers_;  // header i points at packet i
    std::size_t head_ = 0;
    std::size_t count_ = 0;
    dunlin::Random loss_;
    Figures figures_;
};

}  // namespace dunlin_asio
