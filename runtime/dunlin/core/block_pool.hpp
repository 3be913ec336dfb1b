#pragma once

#include <dunlin/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

inline constexpr std::uint16_t kNoBlock = 0xffff;

// Byte strings of any length kept in chains of equal blocks, so that freeing out of order never fragments memory.
// Invariant: every block is either free or in exactly one chain. A chain is named by its first block.
class BlockPool {
  public:
    BlockPool() = default;
    // `links` has one element a block (at most 65,534); `bytes.size() == links.size() * block_bytes`.
    BlockPool(std::span<std::byte> bytes, std::span<std::uint16_t> links, std::size_t block_bytes);

    void clear();  // frees every block

    // Copies `first` and then `second` into a new chain; kNoBlock when there is not room for all (nothing is
    // taken then). An empty string still takes one block. O(length).
    [[nodiscard]] std::uint16_t store(std::span<const std::byte> first, std::span<const std::byte> second = {});
    // A new chain for `length` bytes, which are to be written; kNoBlock as above. O(blocks).
    [[nodiscard]] std::uint16_t reserve(std::size_t length);
    // Writes over bytes of the chain from `offset` on. The chain must have them. O(offset + bytes).
    void write(std::uint16_t chain, std::size_t offset, std::span<const std::byte> bytes);
    // Calls `visit(piece)` for the bytes from `offset` on as they lie in memory, in order. The chain must have them. O(offset + length).
    template <class Visit>
    void visit(std::uint16_t chain, std::size_t offset, std::size_t length, const Visit& visit_piece) {
        each_piece(chain, offset, length, visit_piece);
    }
    // Copies `length` bytes of the chain from `offset` on. The chain must hold them. O(offset + length).
    void load(std::uint16_t chain, std::size_t offset, std::span<std::byte> out) const;
    // Frees a chain. O(blocks).
    void release(std::uint16_t chain);

    // The chain as one span where it fits one block, else copied to `scratch`, which must be long enough.
    [[nodiscard]] std::span<const std::byte> view(std::uint16_t chain, std::size_t length, std::span<std::byte> scratch) const;

    [[nodiscard]] std::size_t blocks_for(std::size_t length) const;
    [[nodiscard]] bool fits(std::size_t length) const { return blocks_for(length) <= free_blocks_; }
    [[nodiscard]] std::size_t free_blocks() const { return free_blocks_; }
    [[nodiscard]] std::size_t capacity() const { return links_.size(); }  // blocks
    [[nodiscard]] std::size_t block_bytes() const { return block_bytes_; }
    [[nodiscard]] std::size_t free_bytes() const { return free_blocks_ * block_bytes_; }

  private:
    [[nodiscard]] std::uint16_t block_at(std::uint16_t chain, std::size_t& offset) const;
    // Blocks that follow each other in memory, as those of a chain mostly do, are one piece.
    template <class Visit>
    void each_piece(std::uint16_t chain, std::size_t offset, std::size_t length, const Visit& visit_piece) const {
        if (length == 0) return;
        for (std::uint16_t block = block_at(chain, offset); length > 0; offset = 0) {
            DUNLIN_ASSERT(block != kNoBlock);
            const std::size_t first = std::size_t{block} * block_bytes_ + offset;
            std::size_t count = block_bytes_ - offset;
            for (std::uint16_t before = block; (block = links_[before]) == before + 1U && count < length; before = block)
                count += block_bytes_;
            if (count > length) count = length;
            visit_piece(bytes_.subspan(first, count));
            length -= count;
        }
    }

    std::span<std::byte> bytes_{};
    std::span<std::uint16_t> links_{};
    std::uint16_t block_bytes_ = 0;
    std::uint16_t free_blocks_ = 0;
    std::uint16_t free_head_ = kNoBlock;
};

}  // namespace dunlin
