#pragma once

#include <cstddef>
#include <cstdint>

// What an image may use of an MPS2 with FPGA image AN385, and where its parts are that differ between such images.
namespace board {

inline constexpr std::size_t kFlashBytes = 512 * 1024;  // the linker script says the same of these three (../mps2/memory.ld)
inline constexpr std::size_t kRamBytes = 256 * 1024;
inline constexpr std::size_t kStackBytes = 16 * 1024;

}  // namespace board

namespace mps2 {

inline constexpr std::uintptr_t kEthernet = 0x40200000;  // LAN9118, interrupt 13
inline constexpr std::uintptr_t kPsram = 0x21000000;     // 16 MB

}  // namespace mps2
