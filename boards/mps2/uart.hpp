#pragma once

namespace mps2 {

// 115,200 baud, 8 bits, no parity, one stop bit; transmits only.
void start_uart();

}  // namespace mps2
