#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What an image may use of its board besides the node's port (dunlin_lwip/port.hpp): text out, arguments, an end with a status, and how
// much stack it has used. The same on every Cortex-M board.
namespace board {

// Writes to the board's console UART (under QEMU: standard output). Blocks while the transmitter is full.
void print(std::string_view text);
void print(std::uint64_t number);
void print_hexadecimal(std::uint32_t number);  // 0x and eight digits

// Ends the image. Under an emulator or a debugger with semihosting its process ends with `status` (SYS_EXIT_EXTENDED); on hardware alone
// the board is reset.
[[noreturn]] void finish(std::uint32_t status);
// Resets the board: everything begins anew but what the storage holds.
[[noreturn]] void reset();
[[noreturn]] void reset_at_once();  // the same, whatever the console has not sent yet

inline constexpr std::uint32_t kExitArguments = 69;
inline constexpr std::uint32_t kExitAssertion = 70;
inline constexpr std::uint32_t kExitFault = 71;

// main(int argc, char** argv) gets the words that the image was started with: the first is the image's name; the others are those that a
// semihosting host gave (QEMU: -semihosting-config ...,arg=NAME,arg=...), or, where it gave none, those that the image was built with
// (CMake's DUNLIN_ARGUMENTS). More words than this, or more than kArgumentBytesMax letters with the spaces between them, end the image
// with kExitArguments.
inline constexpr std::size_t kArgumentsMax = 16;
inline constexpr std::size_t kArgumentBytesMax = 511;
// The value of the word `key=value` with this key; empty: there is none. O(arguments).
[[nodiscard]] std::string_view argument(std::string_view key);

// The most stack that was ever used, in bytes: the stack was painted at reset. O(stack).
[[nodiscard]] std::size_t stack_used();
[[nodiscard]] std::size_t stack_bytes();
void print_stack_used();  // `stack: used N of N bytes`

}  // namespace board
