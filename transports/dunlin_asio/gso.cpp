#include <dunlin_asio/gso.hpp>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <cerrno>
#include <cstring>

// Older C libraries lack these two of the kernel's names.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace dunlin_asio {

bool has_gso(int descriptor) {
    const int no_segments = 0;  // the socket's own default stays "no train": the option is only tried
    return ::setsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &no_segments, sizeof no_segments) == 0;
}

bool enable_gro(int descriptor) {
    const int on = 1;
    return ::setsockopt(descriptor, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
}

bool refuses_trains(int error) { return error == EINVAL || error == EMSGSIZE || error == EIO; }

void mark_train(msghdr& header, TrainControl& control, std::size_t datagram_bytes) {
    if (datagram_bytes == 0) {
        header.msg_control = nullptr;
        header.msg_controllen = 0;
        return;
    }
    const auto segment = static_cast<std::uint16_t>(datagram_bytes);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(sizeof segment);
    cmsghdr* const message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = IPPROTO_UDP;
    message->cmsg_type = UDP_SEGMENT;
    message->cmsg_len = CMSG_LEN(sizeof segment);
    std::memcpy(CMSG_DATA(message), &segment, sizeof segment);
}

std::size_t train_datagram_bytes(msghdr& header) {
    for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr; message = CMSG_NXTHDR(&header, message)) {
        if (message->cmsg_level != IPPROTO_UDP || message->cmsg_type != UDP_GRO) continue;
        int segment = 0;
        std::memcpy(&segment, CMSG_DATA(message), sizeof segment);
        return segment > 0 ? static_cast<std::size_t>(segment) : 0;
    }
    return 0;
}

}  // namespace dunlin_asio
