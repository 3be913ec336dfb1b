#pragma once

extern "C" void fault_handler();  // of every exception that nobody expects

namespace board {

// A dunlin::AssertionHook.
[[noreturn]] void report_assertion(const char* file, int line, const char* expression);

}  // namespace board
