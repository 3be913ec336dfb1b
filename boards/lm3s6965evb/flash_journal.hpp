#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <cstddef>
#include <span>

// The last 64 KB of the part's flash as the journal's device (LM3S6965 data sheet, "Internal Memory"): pages of 1 KB, words of four bytes,
// each programmed once after its page was erased. The core stands still while the flash is written: 20 us a word, 20 ms a page.
//
// Untried: no such part was at hand, and QEMU emulates no flash controller. What it has written it reads back, and fails where that differs.
namespace lm3s6965::flash_journal {

inline constexpr dunlin::journal::Geometry kGeometry{.erase_bytes = 1024, .program_bytes = 8};

// Whether there is a flash controller: its address register keeps what is written to it.
[[nodiscard]] bool found();

// `offset` and lengths are within kJournalFlashBytes (memory_map.hpp), and multiples of what the geometry says.
void read(std::size_t offset, std::span<std::byte> to);
dunlin::Status write(std::size_t offset, std::span<const std::byte> bytes);
dunlin::Status erase(std::size_t offset);

}  // namespace lm3s6965::flash_journal
