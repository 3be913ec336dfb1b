#pragma once

#include <dunlin/wire/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::wire {

// CRC32C of a whole packet with its checksum field read as zero. `packet` is at least a header long. O(bytes).
[[nodiscard]] std::uint32_t packet_checksum(std::span<const std::byte> packet);

}  // namespace dunlin::wire
