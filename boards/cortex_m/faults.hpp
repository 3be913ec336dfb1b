#pragma once

#include <cstdint>

extern "C" void fault_handler();  // of every exception that nobody expects

namespace board {

// For kShcsr: memory, bus and usage faults are not hard faults at once. One that comes while another is reported is a hard fault then, which is
// heard; a fault in a hard fault stops the core for good. (Where interrupts are held back all of them are hard faults: then there is one report.)
inline constexpr std::uint32_t kFaultHandlers = 0x7U << 16U;

// A dunlin::AssertionHook.
[[noreturn]] void report_assertion(const char* file, int line, const char* expression);

}  // namespace board
