#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin_sim/event_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace dunlin::sim {

// What the network does to each datagram. Rates are in parts per million; delays are drawn uniformly, so jitter reorders.
struct NetworkFaults {
    std::uint32_t loss_ppm = 0;
    std::uint32_t duplicate_ppm = 0;
    std::uint32_t corrupt_ppm = 0;  // one bit is flipped
    std::uint32_t late_ppm = 0;     // delayed by up to `late_max` more: reordering beyond jitter
    Duration delay_min = microseconds{50};
    Duration delay_max = microseconds{250};
    Duration late_max = milliseconds{50};
    std::uint32_t datagram_bytes_max = 0;    // longer ones vanish, as on a path of a smaller MTU than thought; 0: none do
    std::uint32_t bytes_per_s = 0;           // what each process can send; 0: no limit
    Duration queue_max = milliseconds{100};  // what would wait longer for its turn on such a line is dropped
};

struct NetworkCounts {
    std::uint64_t sent = 0, delivered = 0, lost = 0, duplicated = 0, corrupted = 0, late = 0, cut = 0, overflowed = 0;
    std::uint64_t too_long = 0, congested = 0, queued = 0, clogged = 0;
    std::uint64_t delayed = 0;   // longer than delay_max as it is by default
    std::uint64_t repeated = 0;  // by repeat_old()
};

// Carries datagrams between processes by number. Buffers are pooled.
class Network {
  public:
    Network(std::uint64_t seed, std::size_t processes, EventQueue& queue);

    NetworkFaults faults{};
    // May change each datagram that is carried, as a sender of another make would have written it; empty: none does.
    std::function<void(std::uint32_t from, std::vector<std::byte>& bytes)> alter;
    // Datagrams from `from` to `to` vanish while cut (one way).
    void cut(std::size_t from, std::size_t to, bool on);
    void isolate(std::size_t process, bool on);
    // Datagrams from `from` to `to` take so much longer (one way); 0: no more.
    void clog(std::size_t from, std::size_t to, Duration delay);
    // Longer datagrams than `bytes` vanish between these two, either way, as on a path of a smaller MTU than thought; 0: none do.
    void narrow(std::size_t one, std::size_t other, std::uint32_t bytes);
    void widen(std::uint32_t least);  // ends that where fewer than `least` bytes pass
    void heal();                      // ends every cut and every clog
    // Between these two nothing passes, either way, whatever else is cut or healed; or again what else is.
    void sever(std::size_t one, std::size_t other, bool on);

    // From now on remembers some of what is sent, also the first of it, so that repeat_old() can send it again.
    void remember_some() { remembering_ = true; }
    // Delivers `count` datagrams of long ago once more, as whoever has kept a copy could, over the path that they took then.
    // Whatever was remembered by then may come, also of a process's earlier lives. `draw` decides which.
    void repeat_old(Instant now, std::uint64_t count, std::uint64_t draw);

    void send(Instant now, std::uint32_t from, std::uint32_t to, std::uint32_t life, std::span<const std::byte> bytes);
    // The datagram of an occurrence; it stays valid until release().
    [[nodiscard]] std::span<const std::byte> bytes(std::uint32_t payload) const { return buffers_[payload].bytes; }
    [[nodiscard]] std::uint32_t sender(std::uint32_t payload) const { return buffers_[payload].from; }
    void release(std::uint32_t payload) { free_.push_back(payload); }
    void delivered() { ++counts_.delivered; }
    void overflowed() { ++counts_.overflowed; }  // the receiver's socket was full
    [[nodiscard]] const NetworkCounts& counts() const { return counts_; }

  private:
    struct Buffer {
        std::vector<std::byte> bytes;
        std::uint32_t from = 0;
    };
    struct Old {
        std::uint32_t from = 0, to = 0;
        std::vector<std::byte> bytes;
    };
    static constexpr std::size_t kOldMax = 256;
    static constexpr std::uint64_t kOldEvery = 61;  // of so many datagrams one is remembered, and the first ones
    [[nodiscard]] std::size_t pair(std::size_t from, std::size_t to) const;
    void remember(std::uint32_t from, std::uint32_t to, std::span<const std::byte> bytes);
    [[nodiscard]] bool congested(Instant now, std::uint32_t from, std::size_t bytes);
    void carry(Instant now, std::uint32_t from, std::uint32_t to, std::uint32_t life, std::span<const std::byte> bytes);
    [[nodiscard]] bool happens(std::uint32_t ppm) { return ppm != 0 && random_.below(1'000'000) < ppm; }

    Random random_;
    std::size_t processes_;
    EventQueue& queue_;
    std::vector<bool> cut_;              // by pair()
    std::vector<bool> severed_;          // by pair()
    std::vector<Duration> clogged_;      // by pair()
    std::vector<std::uint32_t> narrow_;  // by pair()
    std::vector<Instant> busy_until_;    // each process's line, where bytes_per_s limits it
    std::vector<Buffer> buffers_;
    std::vector<std::uint32_t> free_;
    std::vector<Old> old_;
    bool remembering_ = false;
    NetworkCounts counts_;
};

}  // namespace dunlin::sim
