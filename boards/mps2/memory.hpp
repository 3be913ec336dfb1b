#pragma once

#include <cstddef>

// What an image may use of an MPS2, whatever its FPGA image.
namespace board {

inline constexpr std::size_t kFlashBytes = 512 * 1024;  // the linker script says the same of these three (memory.ld)
inline constexpr std::size_t kRamBytes = 256 * 1024;
inline constexpr std::size_t kStackBytes = 16 * 1024;

}  // namespace board
