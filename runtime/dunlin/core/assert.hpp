#pragma once

namespace dunlin {

// Called once when an invariant does not hold; must not return. A board overrides it to report over its
// UART and reset. `file` (a name without its folder) and `expression` are string literals. On Cortex-M flash is scarce (this
// saves 2 KiB of a voter's image): there both are empty, and `line` is the address of the code behind the check, which
// addr2line turns into file and line.
using AssertionHook = void (*)(const char* file, int line, const char* expression);

// Replaces the hook for the whole process, and returns the one before; nullptr stands for the default, which traps.
// Not synchronised: call it before the first node is made.
AssertionHook set_assertion_hook(AssertionHook hook);

[[noreturn]] void assertion_failed(const char* file, int line, const char* expression);
[[noreturn, gnu::cold]] void assertion_failed_here();

}  // namespace dunlin

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define DUNLIN_ASSERTION_FAILED(expression) ::dunlin::assertion_failed_here()
#else
#define DUNLIN_ASSERTION_FAILED(expression) ::dunlin::assertion_failed(__FILE_NAME__, __LINE__, #expression)
#endif

// A programming error, never bad input: checked in every build, release included. Cost: one branch.
#define DUNLIN_ASSERT(expression) (static_cast<bool>(expression) ? static_cast<void>(0) : DUNLIN_ASSERTION_FAILED(expression))
