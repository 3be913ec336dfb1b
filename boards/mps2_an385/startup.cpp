// From reset to main(): vector table, memory, static constructors, and what happens when something goes wrong.
#include "board.hpp"

#include <dunlin/core/assert.hpp>

#include <cstdint>
#include <string_view>

extern "C" {
extern std::uint32_t stack_top;
extern std::uint32_t data_image, data_begin, data_end, bss_begin, bss_end;
using Initialiser = void (*)();
extern Initialiser init_array_begin, init_array_end;

int main();
[[noreturn]] void reset_handler();
[[noreturn]] void fault_handler();
[[noreturn, gnu::used]] void report_fault(const std::uint32_t* frame);

// libc's assert() and the compiler's pure-virtual trap end here too, not in newlib's stdio.
[[noreturn]] void __assert_func(const char* file, int line, const char* function, const char* expression);
[[noreturn]] void abort();
}

namespace {

using Handler = void (*)();
struct Vectors {
    std::uint32_t* stack;
    Handler handlers[15];
};
constexpr Handler kFault = fault_handler;
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors{
    &stack_top,
    {reset_handler, kFault, kFault, kFault, kFault, kFault, nullptr, nullptr, nullptr, nullptr, kFault, kFault, nullptr, kFault, kFault}};

[[noreturn]] void assertion_hook(const char* file, int line, const char* expression) {
    mps2::print("assertion failed: ");
    mps2::print(file);
    mps2::print(":");
    mps2::print(static_cast<std::uint64_t>(line));
    mps2::print(": ");
    mps2::print(expression);
    mps2::print("\n");
    mps2::finish(mps2::kExitAssertion);
}

}  // namespace

void reset_handler() {
    const std::uint32_t* from = &data_image;
    for (std::uint32_t* to = &data_begin; to != &data_end; ++to) *to = *from++;
    for (std::uint32_t* to = &bss_begin; to != &bss_end; ++to) *to = 0;
    dunlin::set_assertion_hook(assertion_hook);
    for (Initialiser* initialiser = &init_array_begin; initialiser != &init_array_end; ++initialiser) (*initialiser)();
    mps2::finish(static_cast<std::uint32_t>(main()));
}

// The stack pointer at entry points at the frame that the core pushed: r0-r3, r12, lr, pc, xpsr (Armv7-M §B1.5.6).
[[gnu::naked]] void fault_handler() { asm volatile("mrs r0, msp\n b report_fault"); }

void report_fault(const std::uint32_t* frame) {
    mps2::print("fault at pc ");
    mps2::print(std::uint64_t{frame[6]});
    mps2::print(", called from ");
    mps2::print(std::uint64_t{frame[5]});
    mps2::print("\n");
    mps2::finish(mps2::kExitFault);
}

void __assert_func(const char* file, int line, const char*, const char* expression) { assertion_hook(file, line, expression); }

void abort() { assertion_hook("abort", 0, "abort()"); }
