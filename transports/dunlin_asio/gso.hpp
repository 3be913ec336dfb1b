#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/socket.h>

namespace dunlin_asio {

// A train: datagrams of one path in a row, equally long but for the last, which is not longer. With UDP GSO (UDP_SEGMENT, udp(7)) the
// kernel takes a whole train in one message and cuts it late, in the best case in the device; with UDP GRO it hands a received one
// over uncut, with the length of its datagrams. Both save most of what a datagram costs below the socket.
inline constexpr std::size_t kTrainDatagramsMax = 64;  // UDP_MAX_SEGMENTS of the oldest kernels with GSO
inline constexpr std::size_t kTrainBytesMax = 65'507;  // payload of the longest UDP datagram over v4

// Whether this kernel knows UDP_SEGMENT. What a route or a device refuses shows only when a train is sent: see refuses_trains().
[[nodiscard]] bool has_gso(int descriptor);
// Turns GRO on for this socket; false where the kernel does not know it.
[[nodiscard]] bool enable_gro(int descriptor);

// Whether `error` of a send (an errno) may be about the train as a train, so that its datagrams may still go one by one: EINVAL and
// EMSGSIZE (longer than the path's MTU, or checksums are off), EIO (no checksum offload, IPsec).
[[nodiscard]] bool refuses_trains(int error);

// Room for the one control message that a train carries in either direction.
struct TrainControl {
    alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int))];
};
// Makes `header` a train of datagrams of `datagram_bytes`, or, with 0, a plain message.
void mark_train(msghdr& header, TrainControl& control, std::size_t datagram_bytes);
// The datagrams' length in a received train; 0: a plain message.
[[nodiscard]] std::size_t train_datagram_bytes(msghdr& header);

}  // namespace dunlin_asio
