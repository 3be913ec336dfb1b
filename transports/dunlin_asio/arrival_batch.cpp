#include <dunlin_asio/arrival_batch.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin_asio {

ArrivalBatch::ArrivalBatch(bool trains)
    : buffer_bytes_(trains ? std::size_t{65'536} : kDatagramBytesMax),
      bytes_(std::make_unique_for_overwrite<std::byte[]>((trains ? kTrainReadMax : kPlainReadMax) * buffer_bytes_)),
      arrivals_(trains ? kTrainReadMax : kPlainReadMax),
      headers_(arrivals_.size()),
      stale_(arrivals_.size()) {
    for (std::size_t i = 0; i < arrivals_.size(); ++i) {
        arrivals_[i].part = {.iov_base = bytes_.get() + i * buffer_bytes_, .iov_len = buffer_bytes_};
        headers_[i].msg_hdr.msg_iov = &arrivals_[i].part;
        headers_[i].msg_hdr.msg_iovlen = 1;
        headers_[i].msg_hdr.msg_name = arrivals_[i].from.data();
        headers_[i].msg_hdr.msg_control = arrivals_[i].control.bytes;
    }
}

bool ArrivalBatch::read(int descriptor) {
    DUNLIN_ASSERT(empty());
    // The kernel writes what it used into these lengths, in the messages that it fills and in no others.
    for (std::size_t i = 0; i < stale_; ++i) {
        headers_[i].msg_hdr.msg_namelen = static_cast<socklen_t>(Endpoint{}.capacity());
        headers_[i].msg_hdr.msg_controllen = sizeof(TrainControl);
    }
    const std::size_t most = messages_ > 0 ? headers_.size() : 1;
    const int result = ::recvmmsg(descriptor, headers_.data(), static_cast<unsigned>(most), MSG_DONTWAIT, nullptr);
    messages_ = result > 0 ? static_cast<std::size_t>(result) : 0;
    stale_ = messages_;
    message_ = 0;
    if (messages_ > 0) begin_message();
    return messages_ > 0;
}

void ArrivalBatch::begin_message() {
    mmsghdr& header = headers_[message_];
    arrivals_[message_].from.resize(header.msg_hdr.msg_namelen);
    offset_ = 0;
    datagram_bytes_ = train_datagram_bytes(header.msg_hdr);
    if (datagram_bytes_ == 0) {
        datagram_bytes_ = header.msg_len;
    } else if (header.msg_len > datagram_bytes_) {
        ++trains_;
    }
}

std::optional<ArrivalBatch::Datagram> ArrivalBatch::next() {
    if (empty()) return std::nullopt;
    const mmsghdr& header = headers_[message_];
    const std::size_t length = std::min<std::size_t>(datagram_bytes_, header.msg_len - offset_);
    const bool cut = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    const Datagram datagram{.from = &arrivals_[message_].from,
                            .bytes = std::span(bytes_.get() + message_ * buffer_bytes_ + offset_, length),
                            .too_long = cut || length > kDatagramBytesMax};
    offset_ += length;
    if (offset_ >= header.msg_len) {
        ++message_;
        if (!empty()) begin_message();
    }
    return datagram;
}

}  // namespace dunlin_asio
