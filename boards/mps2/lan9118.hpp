#pragma once

#include <cstdint>

// The Ethernet controller, SMSC LAN9118 (or LAN9220), by its FIFOs; what it does for a node are the Ethernet functions of
// dunlin_lwip/port.hpp.
namespace mps2 {

inline constexpr std::uint32_t kFrameInterrupt = 13;  // while a received frame waits, and since clear_frame_interrupt() came

void clear_frame_interrupt();

}  // namespace mps2
