#include <dunlin/core/assert.hpp>
#include <dunlin/core/block_pool.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin {

BlockPool::BlockPool(std::span<std::byte> bytes, std::span<std::uint16_t> links, std::size_t block_bytes)
    : bytes_(bytes), links_(links), block_bytes_(static_cast<std::uint16_t>(block_bytes)) {
    DUNLIN_ASSERT(block_bytes > 0 && links.size() < kNoBlock);
    DUNLIN_ASSERT(bytes.size() == links.size() * block_bytes);
    clear();
}

void BlockPool::clear() {
    free_head_ = kNoBlock;
    for (std::size_t i = links_.size(); i-- > 0;) {
        links_[i] = free_head_;
        free_head_ = static_cast<std::uint16_t>(i);
    }
    free_blocks_ = static_cast<std::uint16_t>(links_.size());
}

std::size_t BlockPool::blocks_for(std::size_t length) const {
    return length <= block_bytes_ ? 1 : (length + block_bytes_ - 1) / block_bytes_;
}

std::uint16_t BlockPool::store(std::span<const std::byte> first, std::span<const std::byte> second) {
    const std::uint16_t chain = reserve(first.size() + second.size());
    if (chain == kNoBlock) return kNoBlock;
    write(chain, 0, first);
    write(chain, first.size(), second);
    return chain;
}

std::uint16_t BlockPool::reserve(std::size_t length) {
    const std::size_t blocks = blocks_for(length);
    if (blocks > free_blocks_) return kNoBlock;
    const std::uint16_t chain = free_head_;
    std::uint16_t last = chain;
    for (std::size_t i = 1; i < blocks; ++i) last = links_[last];
    free_head_ = links_[last];
    links_[last] = kNoBlock;
    free_blocks_ = static_cast<std::uint16_t>(free_blocks_ - blocks);
    return chain;
}

// The block of `chain` with the byte at `offset`, which becomes its place in the block.
std::uint16_t BlockPool::block_at(std::uint16_t chain, std::size_t& offset) const {
    for (; offset >= block_bytes_; offset -= block_bytes_) {
        DUNLIN_ASSERT(chain != kNoBlock);
        chain = links_[chain];
    }
    return chain;
}

void BlockPool::write(std::uint16_t chain, std::size_t offset, std::span<const std::byte> bytes) {
    each_piece(chain, offset, bytes.size(), [&](std::span<std::byte> piece) {
        std::memcpy(piece.data(), bytes.data(), piece.size());
        bytes = bytes.subspan(piece.size());
    });
}

void BlockPool::load(std::uint16_t chain, std::size_t offset, std::span<std::byte> out) const {
    each_piece(chain, offset, out.size(), [&](std::span<const std::byte> piece) {
        std::memcpy(out.data(), piece.data(), piece.size());
        out = out.subspan(piece.size());
    });
}

void BlockPool::release(std::uint16_t chain) {
    DUNLIN_ASSERT(chain < links_.size());
    std::size_t blocks = 1;
    std::uint16_t last = chain;
    while (links_[last] != kNoBlock) {
        last = links_[last];
        ++blocks;
    }
    links_[last] = free_head_;
    free_head_ = chain;
    free_blocks_ = static_cast<std::uint16_t>(free_blocks_ + blocks);
    DUNLIN_ASSERT(free_blocks_ <= links_.size());
}

std::span<const std::byte> BlockPool::view(std::uint16_t chain, std::size_t length, std::span<std::byte> scratch) const {
    DUNLIN_ASSERT(chain < links_.size());
    if (length <= block_bytes_) return bytes_.subspan(chain * block_bytes_, length);
    DUNLIN_ASSERT(length <= scratch.size());
    load(chain, 0, scratch.first(length));
    return scratch.first(length);
}

}  // namespace dunlin
