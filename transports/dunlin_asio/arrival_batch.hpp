#pragma once

#include <dunlin_asio/address.hpp>
#include <dunlin_asio/gso.hpp>

#include <sys/socket.h>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dunlin_asio {

// What one recvmmsg(2) brought, cut into datagrams where the kernel handed over trains (gso.hpp). No allocation after construction.
class ArrivalBatch {
  public:
    static constexpr std::size_t kDatagramBytesMax = 2048;  // above the longest packet of ours, so that a longer datagram shows as cut
    // Messages a read. A train needs a buffer of 64 KiB, so fewer of them are read at a time: 1 MiB of addresses, of which only what
    // trains have filled is ever resident.
    static constexpr std::size_t kPlainReadMax = 64;
    static constexpr std::size_t kTrainReadMax = 16;

    struct Datagram {
        const Endpoint* from = nullptr;
        std::span<const std::byte> bytes{};  // valid until the next read()
        bool too_long = false;               // than kDatagramBytesMax: `bytes` is not all of it
    };

    // `trains`: the socket has GRO turned on.
    explicit ArrivalBatch(bool trains);
    ArrivalBatch(const ArrivalBatch&) = delete;
    ArrivalBatch& operator=(const ArrivalBatch&) = delete;

    // Reads what is there without waiting, once next() has nothing left (asserted). False: nothing was there, or an error (an ICMP
    // answer to what was sent, which no node needs). After a read that found nothing this asks for one message: what comes alone is
    // then answered before the kernel has looked for another.
    bool read(int descriptor);
    // The oldest datagram that was read and not taken; nothing: all were.
    [[nodiscard]] std::optional<Datagram> next();
    [[nodiscard]] bool empty() const { return message_ == messages_; }
    [[nodiscard]] bool was_full() const { return messages_ == headers_.size(); }  // the last read(): there may be more
    [[nodiscard]] std::size_t trains() const { return trains_; }                  // that came, so far

  private:
    struct Arrival {
        Endpoint from{};
        iovec part{};
        TrainControl control{};
    };
    void begin_message();

    std::size_t buffer_bytes_;
    std::unique_ptr<std::byte[]> bytes_;  // left as the system gives it: untouched pages are not resident
    std::vector<Arrival> arrivals_;
    std::vector<mmsghdr> headers_;
    std::size_t stale_;               // headers whose lengths are not those of their buffers
    std::size_t messages_ = 0;        // read
    std::size_t message_ = 0;         // that next() is in
    std::size_t offset_ = 0;          // in it
    std::size_t datagram_bytes_ = 0;  // its stride
    std::size_t trains_ = 0;
};

}  // namespace dunlin_asio
