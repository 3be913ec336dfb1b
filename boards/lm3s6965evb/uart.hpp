#pragma once

#include <cstdint>

namespace lm3s6965 {

// 115,200 baud, 8 bits, no parity, one stop bit; transmits only. The system must have been started (system_control.hpp), with this clock.
void start_uart(std::uint32_t clock_mhz);

}  // namespace lm3s6965
