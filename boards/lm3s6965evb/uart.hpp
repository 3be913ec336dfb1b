#pragma once

namespace lm3s6965 {

// 115,200 baud, 8 bits, no parity, one stop bit; transmits only. The system must have been started (system_control.hpp).
void start_uart();

}  // namespace lm3s6965
