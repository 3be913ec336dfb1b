#pragma once

#include <dunlin/core/status.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin {

// The one thing of a node that another thread or an interrupt may call: a bounded queue of publishes, many producers, one
// consumer (D. Vyukov's bounded queue: each cell carries a turn number). 32-bit atomics only, no lock, no waiting: post()
// either takes a cell or says busy. The consumer is Node::drain(); the caller of post() wakes the node's loop by
// its own means. Turn numbers wrap after 2^32 posts, which the comparison allows for.
class Mailbox {
  public:
    struct Message {
        std::string_view topic;
        std::span<const std::byte> payload;
    };
    struct Cell {
        std::atomic<std::uint32_t> turn{0};
        std::uint16_t topic_bytes = 0;
        std::uint16_t payload_bytes = 0;
    };

    // `cells.size()` is a power of two, at least 2; `bytes.size()` is a multiple of it: each cell's share, at most 65,535 bytes, holds
    // one topic and payload together.
    Mailbox(std::span<Cell> cells, std::span<std::byte> bytes);
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // Copies a publish in. busy: every cell is taken; too_large: longer than a cell. Safe from any thread or interrupt. O(bytes).
    Status post(std::string_view topic, std::span<const std::byte> payload);

    // For the one consumer: the oldest publish, which stays until pop(). False where there is none (or its producer has not
    // finished yet).
    [[nodiscard]] bool peek(Message& message) const;
    void pop();

  private:
    [[nodiscard]] std::byte* bytes_of(std::uint32_t position) const;

    std::span<Cell> cells_;
    std::span<std::byte> bytes_;
    std::uint32_t mask_;
    std::size_t cell_bytes_;
    std::atomic<std::uint32_t> tail_{0};
    std::uint32_t head_ = 0;
};

template <std::size_t kCells, std::size_t kCellBytes>
struct MailboxArrays {
    static_assert(kCells >= 2 && (kCells & (kCells - 1)) == 0, "a mailbox has a power of two cells, at least 2");
    static_assert(kCellBytes <= UINT16_MAX, "a cell of a mailbox has at most 65535 bytes");
    std::array<Mailbox::Cell, kCells> cells;
    std::array<std::byte, kCells * kCellBytes> bytes;
};

// A mailbox with room for `kCells` publishes of at most `kCellBytes` (topic and payload together).
template <std::size_t kCells, std::size_t kCellBytes>
class MailboxOf : private MailboxArrays<kCells, kCellBytes>, public Mailbox {
  public:
    MailboxOf() : Mailbox(this->cells, this->bytes) {}
};

}  // namespace dunlin
