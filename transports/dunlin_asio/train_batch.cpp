#include <dunlin_asio/train_batch.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin_asio {

std::size_t train_length(std::span<const OutgoingPacket> packets, std::span<const iovec> parts) {
    const std::size_t stride = parts.front().iov_len;
    if (packets.front().alone || stride == 0) return 1;
    const std::size_t most = std::min(packets.size(), kTrainDatagramsMax);
    std::size_t bytes = stride;
    std::size_t length = 1;
    while (length < most) {
        const OutgoingPacket& packet = packets[length];
        const std::size_t packet_bytes = parts[length].iov_len;
        // An empty datagram cannot be told from none.
        if (packet.alone || packet.path != packets.front().path || packet_bytes > stride || packet_bytes == 0) break;
        if (bytes + packet_bytes > kTrainBytesMax) break;
        bytes += packet_bytes;
        ++length;
        if (packet_bytes < stride) break;  // it ends the train
    }
    return length;
}

TrainBatch::TrainBatch(std::size_t packets_max) : headers_(packets_max), controls_(packets_max) {}

std::span<mmsghdr> TrainBatch::gather(std::span<OutgoingPacket> packets, std::span<iovec> parts) {
    DUNLIN_ASSERT(packets.size() == parts.size() && packets.size() <= headers_.size());
    std::size_t messages = 0;
    while (!packets.empty()) {
        const std::size_t length = train_length(packets, parts);
        msghdr& header = headers_[messages].msg_hdr;
        header.msg_name = packets.front().to.data();
        header.msg_namelen = static_cast<socklen_t>(packets.front().to.size());
        header.msg_iov = parts.data();
        header.msg_iovlen = length;
        mark_train(header, controls_[messages], length > 1 ? parts.front().iov_len : 0);
        ++messages;
        packets = packets.subspan(length);
        parts = parts.subspan(length);
    }
    return std::span(headers_).first(messages);
}

}  // namespace dunlin_asio
