#pragma once

#include <mps2/memory.hpp>

#include <cstdint>

// Where an MPS2 with FPGA image AN386 has what lies elsewhere with others.
namespace mps2 {

inline constexpr std::uintptr_t kEthernet = 0x40200000;  // LAN9118
inline constexpr std::uint32_t kFrameInterrupt = 13;
inline constexpr std::uintptr_t kPsram = 0x21000000;  // 16 MB

}  // namespace mps2
