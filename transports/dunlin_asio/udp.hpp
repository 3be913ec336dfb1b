#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/node/io.hpp>

#include <dunlin_asio/arrival_batch.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/path_table.hpp>
#include <dunlin_asio/readiness_wait.hpp>
#include <dunlin_asio/send_queue.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dunlin_asio {

struct UdpOptions {
    std::string bind = "0.0.0.0:0";       // host:port; port 0: any free one. "[::]:port" takes v6 and v4
    std::size_t paths_max = 1024;         // 1..65,534 far ends known at a time
    std::size_t packet_bytes_max = 1472;  // >= Options::packet_bytes_max of the node
    int socket_buffer_bytes = 1 << 20;    // wish for each direction; the system may grant less (net.core.[rw]mem_max)
    std::uint32_t loss_ppm = 0;           // injected loss on sending, 0..1,000,000
    std::uint64_t loss_seed = 0;
    bool trains = true;  // GSO and GRO where the kernel has them (gso.hpp)
};

// One UDP socket, v4 or v6, as the node's transport. Datagrams are read many at a time (recvmmsg, GRO) and sent in batches (sendmmsg,
// GSO), when ASIO says that the socket is ready; no allocation after construction. Used by one thread.
class Udp {
  public:
    static constexpr std::size_t kDatagramsPerRead = 64;

    struct Figures {
        std::uint64_t datagrams_received = 0;
        std::uint64_t bytes_received = 0;
        std::uint64_t datagrams_too_long = 0;  // longer than any packet of ours: dropped
        std::uint64_t datagrams_no_path = 0;   // every path is dialled: dropped
        std::uint64_t trains_received = 0;     // messages with more than one datagram
    };

    // Opens and binds. Throws HostError: bad address, port in use.
    Udp(asio::io_context& io, const UdpOptions& options);
    Udp(const Udp&) = delete;
    Udp& operator=(const Udp&) = delete;

    [[nodiscard]] Endpoint local_endpoint() const { return local_; }

    // ---- Receiving --------------------------------------------------------------------------------------------
    struct Received {
        dunlin::PathId path{};
        dunlin::PathId evicted{};  // the path that is gone to make room for it, or 0; tell the node first
        std::span<const std::byte> bytes{};
    };
    // Whether receive() may find something. When false, a wait is pending and the io_context wakes up for the next datagram; after
    // receive_now() and look(), only once wait_for_input() was called.
    [[nodiscard]] bool has_input() const { return expects_input_ || !arrivals_.empty(); }
    // Hands at most kDatagramsPerRead datagrams to `sink`; returns how many.
    std::size_t receive(dunlin::Callback<void(const Received&)> sink);
    // For a caller that spins instead of waiting: look() reads whatever ASIO has said, and tells whether anything is there to
    // be handed over; receive_now() is receive() that looks too. Neither starts a wait. One system call where nothing is there.
    [[nodiscard]] bool look();
    std::size_t receive_now(dunlin::Callback<void(const Received&)> sink);
    void wait_for_input();

    // ---- Sending ----------------------------------------------------------------------------------------------
    // Where the next packet is written; empty under back-pressure, until the io_context has woken up for the socket.
    [[nodiscard]] std::span<std::byte> next_buffer();
    // Queues what is in next_buffer(). False: the path is unknown, nothing is queued. A size probe goes on its own: in a train, it
    // would be the train that a narrow path refuses.
    bool push(const dunlin::Transmit& packet);
    // Sends what is queued, as far as the kernel takes it.
    void flush();
    [[nodiscard]] bool all_sent() const { return queue_.empty(); }

    // ---- Paths ------------------------------------------------------------------------------------------------
    // A path to keep. `path` 0: an address that this socket cannot reach (v6 from a v4 socket).
    [[nodiscard]] PathTable::Found dial(const Endpoint& endpoint);

    [[nodiscard]] const Figures& figures() const { return figures_; }
    [[nodiscard]] const SendQueue::Figures& send_figures() const { return queue_.figures(); }

    // The socket, for options that this class does not know.
    [[nodiscard]] int native_handle() { return socket_.native_handle(); }

  private:
    [[nodiscard]] static asio::ip::udp::socket open(asio::io_context& io, const UdpOptions& options);
    void hand_over(const ArrivalBatch::Datagram& datagram, dunlin::Callback<void(const Received&)> sink);
    [[nodiscard]] SendQueue::SendBatch send_batch();
    [[nodiscard]] bool blocked() const { return writable_.armed() || waiting_for_memory_; }

    asio::ip::udp::socket socket_;
    Endpoint local_;
    PathTable paths_;
    SendQueue queue_;
    bool sends_trains_;
    ArrivalBatch arrivals_;
    bool expects_input_ = false;  // the last read was not in vain, or the socket became readable after it
    ReadinessWait readable_;
    ReadinessWait writable_;
    bool waiting_for_memory_ = false;
    BootTimer memory_retry_;
    Figures figures_;
};

}  // namespace dunlin_asio
