#pragma once

#include <dunlin/core/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

// The board's microSD card, over the part's synchronous serial port in SPI mode (SD Physical Layer Simplified Specification, chapter 7).
// Checksums on the wire are on, other than after power-on: a bit of the last record that was lost on its way to the card would be found by
// the journal's own checksum, but only at the next start, as the torn end of what was never promised.
//
// Tried under QEMU, whose card checks no sum but sends right ones; untried on a real board.
namespace lm3s6965::sd_card {

inline constexpr std::size_t kSectorBytes = 512;
using Sector = std::array<std::byte, kSectorBytes>;

// Wakes the card up, within 1 s. Sectors that it has; 0: there is no card, or it fails.
[[nodiscard]] std::uint32_t open();

// A sector, whole. Each within 0.6 s, or device_error. What was written survives a loss of power once write() has returned; a card
// programs a sector whole or not at all.
dunlin::Status read(std::uint32_t sector, Sector& to);
dunlin::Status write(std::uint32_t sector, const Sector& from);

}  // namespace lm3s6965::sd_card
