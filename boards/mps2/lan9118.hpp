#pragma once

// The Ethernet controller, SMSC LAN9118 (or LAN9220), by its FIFOs; what it does for a node are the Ethernet functions of
// dunlin_lwip/port.hpp.
namespace mps2 {

// kFrameInterrupt (memory_map.hpp) comes with each frame that is received; this forgets that it came.
void clear_frame_interrupt();

}  // namespace mps2
