#include <dunlin/core/assert.hpp>

#include <cstdint>
#include <utility>

namespace dunlin {
namespace {
AssertionHook current_hook = nullptr;
}

AssertionHook set_assertion_hook(AssertionHook hook) { return std::exchange(current_hook, hook); }

void assertion_failed(const char* file, int line, const char* expression) {
    if (current_hook != nullptr) current_hook(file, line, expression);
    __builtin_trap();
}

[[gnu::noinline]] void assertion_failed_here() {
    const auto address = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    assertion_failed("", static_cast<int>(address), "");
}

}  // namespace dunlin
