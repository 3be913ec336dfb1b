#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>

#include <dunlin_asio/address.hpp>
#include <dunlin_asio/train_batch.hpp>

#include <sys/socket.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dunlin_asio {

// Packets on their way from Node::poll_transmit() to the kernel. The node writes into next_buffer(), push() keeps the packet,
// flush() sends all of them with as few system calls as it can, and where the kernel takes trains (gso.hpp) with as few messages.
// What the kernel has no room for stays, in order, and the node is not asked for more: back-pressure, not loss. A train that the
// kernel refuses as a train goes again packet by packet, and so does what is sent to that path from then on. No allocation after
// construction.
class SendQueue {
  public:
    // Sends the first messages of `batch`: how many, or minus errno where not even the first went (as sendmmsg(2)).
    using SendBatch = dunlin::Callback<int(std::span<mmsghdr>)>;
    // Told when a train to this path was refused: its packets are to be pushed with `alone` from now on.
    using TrainsRefused = dunlin::Callback<void(dunlin::PathId)>;
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
        std::uint64_t trains_sent = 0;        // messages with more than one datagram
        std::uint64_t trains_refused = 0;     // sent again one by one; nothing was lost
    };
    SendQueue(const Options& options, SendBatch send_batch, TrainsRefused trains_refused = {});
    SendQueue(const SendQueue&) = delete;
    SendQueue& operator=(const SendQueue&) = delete;

    // Where the next packet goes, `packet_bytes_max` long; empty while full.
    [[nodiscard]] std::span<std::byte> next_buffer();
    // Keeps what was written into next_buffer(), or drops it by injected loss. `to` is the address of `path`; `alone`: not in a train.
    void push(dunlin::PathId path, const Endpoint& to, std::size_t bytes, bool alone);

    enum class Flushed : std::uint8_t {
        all,
        blocked,    // the socket's buffer is full: wait until it can be written to
        no_memory,  // the kernel or the device queue is out of buffers: try again a little later
    };
    Flushed flush();
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] const Figures& figures() const { return figures_; }

  private:
    void sent(std::size_t messages);
    [[nodiscard]] bool retry_alone(int error);
    void pop(std::size_t packets);

    Options options_;
    SendBatch send_batch_;
    TrainsRefused trains_refused_;
    std::unique_ptr<std::byte[]> bytes_;   // pages that no packet needed are not resident
    std::vector<OutgoingPacket> packets_;  // a ring; packet i owns the i-th share of bytes_
    std::vector<iovec> parts_;             // part i is what is used of it
    TrainBatch batch_;
    std::size_t head_ = 0;
    std::size_t count_ = 0;
    dunlin::Random loss_;
    Figures figures_;
};

}  // namespace dunlin_asio
