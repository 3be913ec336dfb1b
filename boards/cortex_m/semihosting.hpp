#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// Services of an emulator or debugger (Arm, "Semihosting for AArch32 and AArch64"). Without a host the breakpoint that calls it faults; the
// fault handler steps over it (faults.cpp), and the call has failed. So one image runs with a host and without.
// A debugger that does not offer semihosting stops at the first call: let it (OpenOCD: `arm semihosting enable`).
namespace board::semihosting {

// Looks for a host; once, at start. present() says what was found.
void find_host();
[[nodiscard]] bool present();

// SYS_EXIT_EXTENDED. Returns only where there is no host.
void exit(std::uint32_t status);

// SYS_GET_CMDLINE: words with a space between them, and how many bytes they are. 0: there is none, or it does not fit.
[[nodiscard]] std::size_t command_line(std::span<char> to);

// Fills `to` from the host's random device. False: there is none.
[[nodiscard]] bool random_bytes(std::span<std::byte> to);

// SYS_ELAPSED: nanoseconds of the host's clock. False: it has none.
[[nodiscard]] bool elapsed_ns(std::uint64_t& to);

}  // namespace board::semihosting
