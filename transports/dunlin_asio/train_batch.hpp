#pragma once

#include <dunlin/core/ids.hpp>

#include <dunlin_asio/address.hpp>
#include <dunlin_asio/gso.hpp>

#include <sys/socket.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin_asio {

// A packet that waits for the kernel. Its bytes lie elsewhere: see TrainBatch::gather().
struct OutgoingPacket {
    Endpoint to{};
    dunlin::PathId path{};
    bool alone = true;  // may not travel in a train
};

// The messages of one sendmmsg(2): packets that can travel as a train (gso.hpp) share one. No allocation after construction.
class TrainBatch {
  public:
    explicit TrainBatch(std::size_t packets_max);
    TrainBatch(const TrainBatch&) = delete;
    TrainBatch& operator=(const TrainBatch&) = delete;

    // Messages for `packets`, in order; parts[i] are the bytes of packets[i]. Both stay where they are until the messages were sent.
    // O(packets).
    [[nodiscard]] std::span<mmsghdr> gather(std::span<OutgoingPacket> packets, std::span<iovec> parts);
    // How many packets the i-th message of the last gather() carries.
    [[nodiscard]] std::size_t packets_of(std::size_t i) const { return headers_[i].msg_hdr.msg_iovlen; }

  private:
    std::vector<mmsghdr> headers_;
    std::vector<TrainControl> controls_;
};

// How many of the first packets go as one train; 1: the first goes alone.
[[nodiscard]] std::size_t train_length(std::span<const OutgoingPacket> packets, std::span<const iovec> parts);

}  // namespace dunlin_asio
