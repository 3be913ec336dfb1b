#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// What an image may use of its board besides the node's port (dunlin_lwip/port.hpp): text out, arguments, an end with a status, and how
// much stack it has used. The same on every Cortex-M board.
namespace board {

// Writes to the board's console UART (under QEMU: standard output). Blocks while the transmitter is full.
void print(std::string_view text);
void print(std::uint64_t number);

// Ends the image. Under an emulator or a debugger with semihosting its process ends with `status` (SYS_EXIT_EXTENDED); on hardware alone
// the board is reset.
[[noreturn]] void finish(std::uint32_t status);
// Resets the board: everything begins anew but what the storage holds.
[[noreturn]] void reset();

inline constexpr std::uint32_t kExitAssertion = 70;
inline constexpr std::uint32_t kExitFault = 71;

// The words that the image was started with: those that a semihosting host gave (QEMU: -semihosting-config arg=...), or else the ones it was
// built with (DUNLIN_ARGUMENTS). At most kArgumentsMax of them; the first is the image's name. main() gets them as argc and argv.
inline constexpr std::size_t kArgumentsMax = 16;

// The most stack that was ever used, in bytes: the stack was painted at reset. O(stack).
[[nodiscard]] std::size_t stack_used();
[[nodiscard]] std::size_t stack_bytes();

}  // namespace board
