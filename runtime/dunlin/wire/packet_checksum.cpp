#include <dunlin/wire/packet_checksum.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>

#include <array>

namespace dunlin::wire {

std::uint32_t packet_checksum(std::span<const std::byte> packet) {
    constexpr std::size_t kFieldOffset = 4;
    constexpr std::size_t kFieldEnd = kFieldOffset + sizeof(std::uint32_t);
    DUNLIN_ASSERT(packet.size() >= kHeaderBytes);
    std::array<std::byte, kFieldEnd> start{};
    for (std::size_t i = 0; i < kFieldOffset; ++i) start[i] = packet[i];
    return crc32c(packet.subspan(kFieldEnd), crc32c(start));
}

}  // namespace dunlin::wire
