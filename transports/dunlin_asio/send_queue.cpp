#include <dunlin_asio/send_queue.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cerrno>

namespace dunlin_asio {

SendQueue::SendQueue(const Options& options, SendBatch send_batch, TrainsRefused trains_refused)
    : options_(options),
      send_batch_(send_batch),
      trains_refused_(trains_refused),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(options.packets_max * options.packet_bytes_max)),
      packets_(options.packets_max),
      parts_(options.packets_max),
      batch_(options.packets_max),
      loss_(options.loss_seed) {
    DUNLIN_ASSERT(options.packets_max > 0 && options.loss_ppm <= 1'000'000);
    for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].iov_base = bytes_.get() + i * options.packet_bytes_max;
}

std::span<std::byte> SendQueue::next_buffer() {
    if (count_ == packets_.size()) return {};
    const std::size_t slot = (head_ + count_) % packets_.size();
    return {bytes_.get() + slot * options_.packet_bytes_max, options_.packet_bytes_max};
}

void SendQueue::push(dunlin::PathId path, const Endpoint& to, std::size_t bytes, bool alone) {
    DUNLIN_ASSERT(count_ < packets_.size() && bytes <= options_.packet_bytes_max);
    if (options_.loss_ppm > 0 && loss_.below(1'000'000) < options_.loss_ppm) {
        ++figures_.datagrams_dropped;
        return;
    }
    const std::size_t slot = (head_ + count_) % packets_.size();
    packets_[slot] = {.to = to, .path = path, .alone = alone};
    parts_[slot].iov_len = bytes;
    ++count_;
}

SendQueue::Flushed SendQueue::flush() {
    while (count_ > 0) {
        const std::size_t in_a_row = std::min(count_, packets_.size() - head_);
        const std::span<mmsghdr> messages =
            batch_.gather(std::span(packets_).subspan(head_, in_a_row), std::span(parts_).subspan(head_, in_a_row));
        const int result = send_batch_(messages);
        if (result > 0) {
            sent(static_cast<std::size_t>(result));
            continue;
        }
        switch (-result) {
            case EINTR: break;
            case EAGAIN: ++figures_.times_blocked; return Flushed::blocked;
            case ENOBUFS:
            case ENOMEM: ++figures_.times_blocked; return Flushed::no_memory;
            default:
                if (retry_alone(-result)) break;
                figures_.datagrams_refused += batch_.packets_of(0);
                pop(batch_.packets_of(0));
        }
    }
    return Flushed::all;
}

void SendQueue::sent(std::size_t messages) {
    std::size_t packets = 0;
    for (std::size_t i = 0; i < messages; ++i) {
        if (batch_.packets_of(i) > 1) ++figures_.trains_sent;
        packets += batch_.packets_of(i);
    }
    DUNLIN_ASSERT(packets <= count_);
    for (std::size_t i = 0; i < packets; ++i) figures_.bytes_sent += parts_[head_ + i].iov_len;
    figures_.datagrams_sent += packets;
    pop(packets);
}

// Whether `error` was about the first message as a train; then its path gets no more of them.
bool SendQueue::retry_alone(int error) {
    if (batch_.packets_of(0) == 1 || !refuses_trains(error)) return false;
    ++figures_.trains_refused;
    const dunlin::PathId path = packets_[head_].path;
    for (OutgoingPacket& packet : packets_) packet.alone = packet.alone || packet.path == path;
    if (trains_refused_) trains_refused_(path);
    return true;
}

void SendQueue::pop(std::size_t packets) {
    head_ = (head_ + packets) % packets_.size();
    count_ -= packets;
}

}  // namespace dunlin_asio
