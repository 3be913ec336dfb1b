#include <dunlin_asio/udp.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_error.hpp>

#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace dunlin_asio {
namespace {

constexpr dunlin::Duration kMemoryRetry = dunlin::milliseconds{1};

// Datagrams leave whole or not at all, however short the kernel thinks the path is: links find out themselves what it carries
// (link/packet_size.hpp). A wish: without it a path only looks wider than it is. An IPv6 socket also sends over IPv4.
void forbid_fragments(int socket) {
    const int v4 = IP_PMTUDISC_PROBE;
    const int v6 = IPV6_PMTUDISC_PROBE;
    static_cast<void>(::setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4)));
    static_cast<void>(::setsockopt(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6)));
}

}  // namespace

Udp::Udp(asio::io_context& io, const UdpOptions& options)
    : socket_(open(io, options)),
      local_(socket_.local_endpoint()),
      paths_(options.paths_max, random_nonzero_u64()),
      queue_({.packet_bytes_max = options.packet_bytes_max, .loss_ppm = options.loss_ppm, .loss_seed = options.loss_seed}, send_batch(),
             {[](void* self, dunlin::PathId path) { static_cast<Udp*>(self)->paths_.refuse_trains(path); }, this}),
      sends_trains_(options.trains && has_gso(socket_.native_handle())),
      arrivals_(options.trains && enable_gro(socket_.native_handle())),
      readable_([this] { expects_input_ = true; }),
      memory_retry_(io, [this] { waiting_for_memory_ = false; }) {
    wait_for_input();
}

asio::ip::udp::socket Udp::open(asio::io_context& io, const UdpOptions& options) {
    const Endpoint bind_to = resolve_address(io, options.bind);
    asio::ip::udp::socket socket(io);
    std::error_code error;
    socket.open(bind_to.protocol(), error);
    if (!error && bind_to.address().is_v6()) socket.set_option(asio::ip::v6_only(false), error);
    if (error) throw HostError("cannot open a UDP socket for '" + options.bind + "'", error.value());
    forbid_fragments(socket.native_handle());
    std::error_code ignored;  // the buffers are a wish
    socket.set_option(asio::socket_base::receive_buffer_size(options.socket_buffer_bytes), ignored);
    socket.set_option(asio::socket_base::send_buffer_size(options.socket_buffer_bytes), ignored);
    socket.bind(bind_to, error);
    if (error == asio::error::address_in_use) {
        throw HostError("cannot listen on UDP " + to_string(bind_to) + ": another program uses this port.");
    }
    if (error) throw HostError("cannot listen on UDP " + to_string(bind_to), error.value());
    socket.non_blocking(true, error);
    if (!error) static_cast<void>(socket.local_endpoint(error));
    if (error) throw HostError("cannot use the UDP socket on " + to_string(bind_to), error.value());
    return socket;
}

SendQueue::SendBatch Udp::send_batch() {
    const auto send = [](void* self, std::span<mmsghdr> batch) {
        const int descriptor = static_cast<Udp*>(self)->socket_.native_handle();
        const int result = ::sendmmsg(descriptor, batch.data(), static_cast<unsigned>(batch.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
        return result < 0 ? -errno : result;
    };
    return {send, this};
}

std::size_t Udp::receive(dunlin::Callback<void(const Received&)> sink) {
    if (!has_input()) return 0;
    const std::size_t handed_over = receive_now(sink);
    if (!has_input()) wait_for_input();
    return handed_over;
}

std::size_t Udp::receive_now(dunlin::Callback<void(const Received&)> sink) {
    for (std::size_t i = 0; i < kDatagramsPerRead; ++i) {
        if (arrivals_.empty()) {
            if (i > 0 && !arrivals_.was_full()) return i;  // to answer what came is more urgent than to find out that there is no more
            if (!look()) return i;
        }
        hand_over(*arrivals_.next(), sink);
    }
    return kDatagramsPerRead;
}

bool Udp::look() {
    if (!arrivals_.empty()) return true;
    expects_input_ = arrivals_.read(socket_.native_handle());
    figures_.trains_received = arrivals_.trains();
    return expects_input_;
}

void Udp::wait_for_input() { readable_.arm(socket_, asio::ip::udp::socket::wait_read); }

void Udp::hand_over(const ArrivalBatch::Datagram& datagram, dunlin::Callback<void(const Received&)> sink) {
    ++figures_.datagrams_received;
    figures_.bytes_received += datagram.bytes.size();
    if (datagram.too_long) {
        ++figures_.datagrams_too_long;
        return;
    }
    const PathTable::Found found = paths_.received_from(*datagram.from);
    if (found.path == dunlin::PathId{}) {
        ++figures_.datagrams_no_path;
        return;
    }
    sink({.path = found.path, .evicted = found.evicted, .bytes = datagram.bytes});
}

std::span<std::byte> Udp::next_buffer() {
    if (blocked()) return {};
    return queue_.next_buffer();
}

bool Udp::push(const dunlin::Transmit& packet) {
    const Endpoint* endpoint = paths_.send_to(packet.path);
    if (endpoint == nullptr) return false;
    const bool alone = packet.size_probe || !sends_trains_ || !paths_.takes_trains(packet.path);
    queue_.push(packet.path, *endpoint, packet.bytes, alone);
    return true;
}

void Udp::flush() {
    if (blocked()) return;
    switch (queue_.flush()) {
        case SendQueue::Flushed::all: return;
        case SendQueue::Flushed::blocked: writable_.arm(socket_, asio::ip::udp::socket::wait_write); return;
        case SendQueue::Flushed::no_memory: waiting_for_memory_ = true; memory_retry_.set(boot_now() + kMemoryRetry);
    }
}

PathTable::Found Udp::dial(const Endpoint& endpoint) {
    const asio::ip::address address = endpoint.address();
    if (local_.address().is_v6() && address.is_v4()) {
        return paths_.dial(Endpoint(asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()), endpoint.port()));
    }
    if (local_.address().is_v4() && address.is_v6()) return {};
    return paths_.dial(endpoint);
}

}  // namespace dunlin_asio
