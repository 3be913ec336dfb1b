#include <dunlin/core/assert.hpp>

#include <cstdint>

extern "C" {
#include "arch/cc.h"
}

// lwIP's assertions end where Dunlin's do. The line is the address of the code behind the check, as on Cortex-M for all of them: addr2line
// turns it into file and line, and the sentences that lwIP has for them would be flash for nothing.
[[gnu::noinline]] void dunlin_lwip_assertion_failed() {
    const auto address = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    dunlin::assertion_failed("lwip", static_cast<int>(address), "");
}
