// Datagrams and nothing else: what this machine can do. variant=packed (sendmmsg, recvmmsg), gso (trains both ways) or single.
#include "arguments.hpp"
#include "window.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace {

using link_bench::Arguments;
using link_bench::Window;

constexpr std::size_t kBatch = 64;
constexpr std::size_t kTrainBytesMax = 65'507;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int open_socket(const Arguments& arguments) {
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int bytes = 1 << 20;  // as Dunlin's
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    const timeval limit{.tv_sec = 0, .tv_usec = 50'000};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_in own = loopback(arguments.publisher ? 0 : arguments.port);
    const sockaddr_in other = loopback(arguments.port);
    const bool failed = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
                        (arguments.publisher && ::connect(descriptor, reinterpret_cast<const sockaddr*>(&other), sizeof other) != 0);
    if (failed) {
        std::perror("raw_udp");
        std::exit(1);
    }
    return descriptor;
}

// As many payloads as fit a datagram; a payload that is longer takes several.
struct Shape {
    explicit Shape(const Arguments& arguments)
        : datagram_bytes(
              std::min(arguments.datagram_bytes,
                       std::max(arguments.payload_bytes, arguments.datagram_bytes / arguments.payload_bytes * arguments.payload_bytes))),
          messages_a_datagram(static_cast<double>(datagram_bytes) / static_cast<double>(arguments.payload_bytes)) {}
    std::size_t datagram_bytes;
    double messages_a_datagram;
};

void send_all(const Arguments& arguments, int descriptor) {
    const Shape shape(arguments);
    const bool gso = arguments.variant == "gso";
    const std::size_t in_a_message = gso ? std::min<std::size_t>(64, kTrainBytesMax / shape.datagram_bytes) : 1;
    const std::size_t messages = gso ? 1 : kBatch;
    const int segment = static_cast<int>(shape.datagram_bytes);
    if (gso && ::setsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) std::exit(3);
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::vector<char> bytes(messages * in_a_message * shape.datagram_bytes);
    std::vector<iovec> parts(messages);
    std::vector<mmsghdr> headers(messages);
    for (std::size_t i = 0; i < messages; ++i) {
        parts[i] = {.iov_base = bytes.data() + i * in_a_message * shape.datagram_bytes, .iov_len = in_a_message * shape.datagram_bytes};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    Window window(arguments);
    double sent = 0;
    while (!window.over()) {
        // Each message is put where it goes: that is part of packing.
        for (std::size_t at = 0; at + payload.size() <= bytes.size(); at += payload.size())
            std::memcpy(bytes.data() + at, payload.data(), payload.size());
        const int result = ::sendmmsg(descriptor, headers.data(), static_cast<unsigned>(messages), 0);
        if (result > 0) sent += result * static_cast<double>(in_a_message) * shape.messages_a_datagram;
        window.tick(static_cast<std::uint64_t>(sent));
    }
    window.print();
}

void receive_all(const Arguments& arguments, int descriptor) {
    const Shape shape(arguments);
    const int on = 1;
    const bool gro = arguments.variant == "gso";
    if (gro && ::setsockopt(descriptor, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0) std::exit(3);
    const std::size_t messages = gro ? 16 : kBatch;
    const std::size_t buffer_bytes = gro ? 65'536 : 2048;
    std::vector<char> bytes(messages * buffer_bytes);
    std::vector<iovec> parts(messages);
    std::vector<mmsghdr> headers(messages);
    for (std::size_t i = 0; i < messages; ++i) {
        parts[i] = {.iov_base = bytes.data() + i * buffer_bytes, .iov_len = buffer_bytes};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    std::vector<char> payload(arguments.payload_bytes);
    Window window(arguments);
    link_bench::say_ready();
    double received = 0;
    while (!window.over()) {
        const int result = ::recvmmsg(descriptor, headers.data(), static_cast<unsigned>(messages), MSG_WAITFORONE, nullptr);
        for (int i = 0; i < result; ++i) {
            const std::size_t length = headers[static_cast<std::size_t>(i)].msg_len;
            received += static_cast<double>(length) / static_cast<double>(arguments.payload_bytes);
            // Each message is looked at, as a receiver would.
            const char* from = bytes.data() + static_cast<std::size_t>(i) * buffer_bytes;
            for (std::size_t at = 0; at + payload.size() <= length; at += payload.size())
                std::memcpy(payload.data(), from + at, payload.size());
            asm volatile("" : : "r"(payload.data()) : "memory");
        }
        window.tick(static_cast<std::uint64_t>(received));
    }
    window.print();
}

void play(const Arguments& arguments, int descriptor) {
    std::vector<char> bytes(std::max<std::size_t>(arguments.payload_bytes, 2048));
    const int flags = arguments.busy ? MSG_DONTWAIT : 0;
    Window window(arguments);
    std::uint64_t trips = 0;
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        ::send(descriptor, bytes.data(), arguments.payload_bytes, 0);
        ssize_t result = -1;
        while ((result = ::recv(descriptor, bytes.data(), bytes.size(), flags)) < 0 && arguments.busy &&
               link_bench::now_ns() - sent_ns < 50'000'000) {}
        if (result > 0) window.latency(link_bench::now_ns() - sent_ns);
        window.tick(++trips);
    }
    window.print();
}

void answer(const Arguments& arguments, int descriptor) {
    std::vector<char> bytes(65'536);
    const int flags = arguments.busy ? MSG_DONTWAIT : 0;
    Window window(arguments);
    link_bench::say_ready();
    std::uint64_t trips = 0;
    while (!window.over()) {
        sockaddr_in from{};
        socklen_t from_bytes = sizeof from;
        const ssize_t result = ::recvfrom(descriptor, bytes.data(), bytes.size(), flags, reinterpret_cast<sockaddr*>(&from), &from_bytes);
        if (result > 0) {
            ::sendto(descriptor, bytes.data(), static_cast<std::size_t>(result), 0, reinterpret_cast<const sockaddr*>(&from), from_bytes);
            ++trips;
        }
        window.tick(trips);
    }
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    const int descriptor = open_socket(arguments);
    const bool throughput = arguments.mode == "throughput";
    if (arguments.publisher) {
        throughput ? send_all(arguments, descriptor) : play(arguments, descriptor);
    } else {
        throughput ? receive_all(arguments, descriptor) : answer(arguments, descriptor);
    }
    ::close(descriptor);
}
