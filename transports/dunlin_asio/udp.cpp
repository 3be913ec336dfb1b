#include <dunlin_asio/udp.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_error.hpp>

#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>

#include <cerrno>
#include <system_error>

namespace dunlin_asio {
namespace {

constexpr std::size_t kArrivalBytes = 2048;  // above the longest packet, so that a longer datagram shows as cut
constexpr dunlin::Duration kMemoryRetry = dunlin::milliseconds{1};

}  // namespace

Udp::Udp(asio::io_context& io, const UdpOptions& options)
    : socket_(io),
      paths_(options.paths_max, random_nonzero_u64()),
      queue_({.packet_bytes_max = options.packet_bytes_max, .loss_ppm = options.loss_ppm, .loss_seed = options.loss_seed}, send_batch()),
      arrival_bytes_(kDatagramsPerRead * kArrivalBytes),
      arrivals_(kDatagramsPerRead),
      arrival_headers_(kDatagramsPerRead),
      memory_retry_(io, [this] { waiting_for_memory_ = false; }) {
    open(io, options);
    for (std::size_t i = 0; i < kDatagramsPerRead; ++i) {
        arrivals_[i].part = {.iov_base = arrival_bytes_.data() + i * kArrivalBytes, .iov_len = kArrivalBytes};
        arrival_headers_[i].msg_hdr.msg_iov = &arrivals_[i].part;
        arrival_headers_[i].msg_hdr.msg_iovlen = 1;
        arrival_headers_[i].msg_hdr.msg_name = arrivals_[i].from.data();
    }
    readable_.arm(socket_, asio::ip::udp::socket::wait_read);
}

void Udp::open(asio::io_context& io, const UdpOptions& options) {
    const Endpoint bind_to = resolve_address(io, options.bind);
    std::error_code error;
    socket_.open(bind_to.protocol(), error);
    if (!error && bind_to.address().is_v6()) socket_.set_option(asio::ip::v6_only(false), error);
    if (error) throw HostError("cannot open a UDP socket for '" + options.bind + "'", error.value());
    std::error_code ignored;  // the buffers are a wish
    socket_.set_option(asio::socket_base::receive_buffer_size(options.socket_buffer_bytes), ignored);
    socket_.set_option(asio::socket_base::send_buffer_size(options.socket_buffer_bytes), ignored);
    socket_.bind(bind_to, error);
    if (error == asio::error::address_in_use) {
        throw HostError("cannot listen on UDP " + to_string(bind_to) + ": another program uses this port.");
    }
    if (error) throw HostError("cannot listen on UDP " + to_string(bind_to), error.value());
    socket_.non_blocking(true, error);
    if (!error) local_ = socket_.local_endpoint(error);
    if (error) throw HostError("cannot use the UDP socket on " + to_string(bind_to), error.value());
}

SendQueue::SendBatch Udp::send_batch() {
    const auto send = [](void* self, std::span<mmsghdr> batch) {
        const int descriptor = static_cast<Udp*>(self)->socket_.native_handle();
        const int result = ::sendmmsg(descriptor, batch.data(), static_cast<unsigned>(batch.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
        return result < 0 ? -errno : result;
    };
    return {send, this};
}

void Udp::prepare_arrivals() {
    for (mmsghdr& header : arrival_headers_) header.msg_hdr.msg_namelen = static_cast<socklen_t>(Endpoint{}.capacity());
}

std::size_t Udp::receive(dunlin::Callback<void(const Received&)> sink) {
    if (!has_input()) return 0;
    prepare_arrivals();
    const int result = ::recvmmsg(socket_.native_handle(), arrival_headers_.data(), kDatagramsPerRead, MSG_DONTWAIT, nullptr);
    const std::size_t read = result > 0 ? static_cast<std::size_t>(result) : 0;
    if (read < kDatagramsPerRead) readable_.arm(socket_, asio::ip::udp::socket::wait_read);
    for (std::size_t i = 0; i < read; ++i) {
        const mmsghdr& header = arrival_headers_[i];
        ++figures_.datagrams_received;
        figures_.bytes_received += header.msg_len;
        if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
            ++figures_.datagrams_too_long;
            continue;
        }
        arrivals_[i].from.resize(header.msg_hdr.msg_namelen);
        const PathTable::Found found = paths_.received_from(arrivals_[i].from);
        if (found.path == dunlin::PathId{}) {
            ++figures_.datagrams_no_path;
            continue;
        }
        sink({.path = found.path, .evicted = found.evicted, .bytes = std::span(arrival_bytes_).subspan(i * kArrivalBytes, header.msg_len)});
    }
    return read;
}

std::span<std::byte> Udp::next_buffer() {
    if (blocked()) return {};
    return queue_.next_buffer();
}

bool Udp::push(dunlin::PathId path, std::size_t bytes) {
    const Endpoint* endpoint = paths_.send_to(path);
    if (endpoint == nullptr) return false;
    queue_.push(*endpoint, bytes);
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
