#include <dunlin_asio/send_queue.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cerrno>

namespace dunlin_asio {

SendQueue::SendQueue(const Options& options, SendBatch send_batch)
    : options_(options),
      send_batch_(send_batch),
      bytes_(options.packets_max * options.packet_bytes_max),
      packets_(options.packets_max),
      headers_(options.packets_max),
      loss_(options.loss_seed) {
    DUNLIN_ASSERT(options.packets_max > 0 && options.loss_ppm <= 1'000'000);
    for (std::size_t i = 0; i < packets_.size(); ++i) {
        packets_[i].part.iov_base = bytes_.data() + i * options.packet_bytes_max;
        headers_[i].msg_hdr.msg_iov = &packets_[i].part;
        headers_[i].msg_hdr.msg_iovlen = 1;
    }
}

std::span<std::byte> SendQueue::next_buffer() {
    if (count_ == packets_.size()) return {};
    const std::size_t slot = (head_ + count_) % packets_.size();
    return std::span(bytes_).subspan(slot * options_.packet_bytes_max, options_.packet_bytes_max);
}

void SendQueue::push(const Endpoint& to, std::size_t bytes) {
    DUNLIN_ASSERT(count_ < packets_.size() && bytes <= options_.packet_bytes_max);
    if (options_.loss_ppm > 0 && loss_.below(1'000'000) < options_.loss_ppm) {
        ++figures_.datagrams_dropped;
        return;
    }
    const std::size_t slot = (head_ + count_) % packets_.size();
    packets_[slot].to = to;
    packets_[slot].part.iov_len = bytes;
    headers_[slot].msg_hdr.msg_name = packets_[slot].to.data();
    headers_[slot].msg_hdr.msg_namelen = static_cast<socklen_t>(packets_[slot].to.size());
    ++count_;
}

SendQueue::Flushed SendQueue::flush() {
    while (count_ > 0) {
        const std::size_t in_a_row = std::min(count_, packets_.size() - head_);
        const int result = send_batch_(std::span(headers_).subspan(head_, in_a_row));
        if (result > 0) {
            sent(static_cast<std::size_t>(result));
            continue;
        }
        switch (-result) {
            case EINTR: break;
            case EAGAIN: ++figures_.times_blocked; return Flushed::blocked;
            case ENOBUFS:
            case ENOMEM: ++figures_.times_blocked; return Flushed::no_memory;
            default: ++figures_.datagrams_refused; pop(1);
        }
    }
    return Flushed::all;
}

void SendQueue::sent(std::size_t packets) {
    DUNLIN_ASSERT(packets <= count_);
    for (std::size_t i = 0; i < packets; ++i) figures_.bytes_sent += packets_[head_ + i].part.iov_len;
    figures_.datagrams_sent += packets;
    pop(packets);
}

void SendQueue::pop(std::size_t packets) {
    head_ = (head_ + packets) % packets_.size();
    count_ -= packets;
}

}  // namespace dunlin_asio
