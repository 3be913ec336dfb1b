#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/wire/wire.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// The optional blocks that stand before a payload in the order of their flags: in packets, and just so in outbox and inbox.
struct MessageBlocks {
    LeaseKey lease{};  // fenced
    Token token{};
    IdempotencyKey key{};  // keyed
    std::uint32_t key_lifetime_ms = 0;
    bool fenced = false;
    bool keyed = false;
};

inline constexpr std::size_t kBlocksBytesMax = sizeof(wire::FenceBlock) + sizeof(wire::KeyBlock);

[[nodiscard]] constexpr std::size_t blocks_bytes(bool fenced, bool keyed) {
    return (fenced ? sizeof(wire::FenceBlock) : 0U) + (keyed ? sizeof(wire::KeyBlock) : 0U);
}
// The blocks as bytes, in `out`.
[[nodiscard]] std::span<const std::byte> encode(const MessageBlocks& blocks, std::array<std::byte, kBlocksBytesMax>& out);
// Takes the blocks that `fenced` and `keyed` announce off the front of `bytes`, which holds them.
[[nodiscard]] MessageBlocks take_blocks(std::span<const std::byte>& bytes, bool fenced, bool keyed);

}  // namespace dunlin::link
