#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/link/message_blocks.hpp>

namespace dunlin::link {

std::span<const std::byte> encode(const MessageBlocks& blocks, std::array<std::byte, kBlocksBytesMax>& out) {
    std::span<std::byte> rest(out);
    if (blocks.fenced) put(rest, wire::FenceBlock(blocks.lease.value(), blocks.token.value()));
    if (blocks.keyed) put(rest, wire::KeyBlock(blocks.key.high, blocks.key.low, blocks.key_lifetime_ms, 0));
    return std::span(out).first(out.size() - rest.size());
}

MessageBlocks take_blocks(std::span<const std::byte>& bytes, bool fenced, bool keyed) {
    MessageBlocks blocks{.fenced = fenced, .keyed = keyed};
    bool whole = true;
    if (fenced) {
        wire::FenceBlock fence;
        whole = take(bytes, fence);
        blocks.lease = LeaseKey{fence.lease()};
        blocks.token = Token{fence.token()};
    }
    if (keyed) {
        wire::KeyBlock key;
        whole = whole && take(bytes, key);
        blocks.key = {key.high(), key.low()};
        blocks.key_lifetime_ms = key.lifetime_ms();
    }
    DUNLIN_ASSERT(whole);
    return blocks;
}

}  // namespace dunlin::link
