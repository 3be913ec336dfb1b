#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin {

// CRC32C (Castagnoli, RFC 3720 §12.1): detects corruption, not attackers. `seed` is the CRC of what came before.
// Uses the processor's instruction for it where there is one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);
// The same without: what every processor can.
[[nodiscard]] std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t seed = 0);

// FNV-1a, 64 bits (RFC 9923): a stable name for a string, for lease keys and cluster names.
[[nodiscard]] std::uint64_t fnv1a64(std::string_view text);
// Continues an FNV-1a hash over bytes; used for the ledger's rolling state hash.
[[nodiscard]] std::uint64_t fnv1a64(std::span<const std::byte> bytes, std::uint64_t seed);

}  // namespace dunlin
