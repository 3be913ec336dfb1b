#pragma once

#include <cstdint>
#include <string_view>

// What an image on this board may use besides the runtime: text out over the first UART, and an end with a status.
namespace mps2 {

// Writes to UART 0 (QEMU: standard output). Blocks while the transmitter is full.
void print(std::string_view text);
void print(std::uint64_t number);

// Ends the image; under QEMU the process exits with `status` (semihosting SYS_EXIT_EXTENDED).
[[noreturn]] void finish(std::uint32_t status);

inline constexpr std::uint32_t kExitAssertion = 70;
inline constexpr std::uint32_t kExitFault = 71;

}  // namespace mps2
