#pragma once

#include <cstdint>

// The part's Ethernet controller with its PHY (LM3S6965 data sheet, "Ethernet Controller"): 2 KB of FIFO each way behind one register. What
// it does for a node are the Ethernet functions of dunlin_lwip/port.hpp.
//
// Tried under QEMU alone. Its model takes frames for any address, so addresses are looked at here, where a real part does it too; and it
// holds 31 frames, where a real part holds one of full size, and loses what comes faster than the node fetches it.
namespace lm3s6965 {

inline constexpr std::uint32_t kFrameInterrupt = 42;  // a frame has come since clear_frame_interrupt()

void clear_frame_interrupt();
// Also a frame that frame_waiting() is still going to drop.
[[nodiscard]] bool holds_frame();

}  // namespace lm3s6965
