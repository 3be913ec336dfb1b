#pragma once

#include <cortex_m/registers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

// A controller's FIFO behind one register, a word at a time, the first byte lowest.
namespace board {

inline constexpr std::uint32_t kWordBytes = 4;

// Takes so many words out of it: their bytes go to `to` as far as that reaches, the rest is dropped.
inline void take_words(std::uintptr_t fifo, std::uint32_t words, std::span<std::byte> to) {
    for (; words > 0; --words) {
        const std::uint32_t word = reg(fifo);
        const std::size_t bytes = std::min<std::size_t>(to.size(), kWordBytes);
        std::memcpy(to.data(), &word, bytes);
        to = to.subspan(bytes);
    }
}

// Puts pieces of any length into it, one right behind the other.
template <std::uintptr_t Fifo>
class WordWriter {
  public:
    // What comes first: the lowest `bytes` bytes of `word`, fewer than a word; the others are 0.
    void begin(std::uint32_t word = 0, std::uint32_t bytes = 0) {
        word_ = word;
        bytes_ = bytes;
    }
    void put(std::span<const std::byte> piece) {
        for (; piece.size() >= kWordBytes; piece = piece.subspan(kWordBytes)) {
            std::uint32_t next = 0;
            std::memcpy(&next, piece.data(), sizeof next);
            reg(Fifo) = word_ | next << (8 * bytes_);
            word_ = bytes_ == 0 ? 0 : next >> (32 - 8 * bytes_);
        }
        for (const std::byte each : piece) {
            word_ |= std::to_integer<std::uint32_t>(each) << (8 * bytes_);
            if (++bytes_ < kWordBytes) continue;
            reg(Fifo) = word_;
            begin();
        }
    }
    // What is left over leaves too, filled up with zeros.
    void end() {
        if (bytes_ != 0) reg(Fifo) = word_;
        begin();
    }

  private:
    std::uint32_t word_ = 0;
    std::uint32_t bytes_ = 0;  // of it
};

}  // namespace board
