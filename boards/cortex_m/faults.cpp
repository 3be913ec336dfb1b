// What happens when something goes wrong: a fault, a failed assertion, the C library's last resorts. Each says so on the console, and ends
// the image with a status of its own.
#include <cortex_m/board.hpp>
#include <cortex_m/faults.hpp>
#include <cortex_m/registers.hpp>
#include <cortex_m/stack.hpp>

#include <cstdint>

namespace {

// What the core pushes when it takes an exception (Armv7-M §B1.5.6).
struct Frame {
    std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};
constexpr std::uint16_t kSemihostingCall = 0xbeab;  // bkpt 0xab
constexpr std::uint32_t kNoHost = 0xffff'ffff;      // what a semihosting call that has failed returns

struct Cause {
    std::string_view name;
    std::uintptr_t at;
};
constexpr Cause kCauses[] = {{", CFSR ", board::kCfsr}, {", HFSR ", board::kHfsr}, {", MMFAR ", board::kMmfar}, {", BFAR ", board::kBfar}};

bool reporting = false;

void say(std::string_view what, std::uint32_t value) {
    board::print(what);
    board::print_hexadecimal(value);
}

}  // namespace

extern "C" {

[[noreturn, gnu::used]] void report_fault(const Frame* frame) {
    if (reporting) board::reset_at_once();  // the report itself has failed, and would again
    reporting = true;
    const bool overflow = reinterpret_cast<const std::uint32_t*>(frame) < &stack_bottom;
    if (overflow) {
        board::print("fault: the stack has overflowed");  // and the frame could not be pushed
    } else {
        say("fault at pc ", frame->pc);
        say(", lr ", frame->lr);
    }
    for (const Cause& cause : kCauses) say(cause.name, board::reg(cause.at));
    board::print("\n");
    board::finish(board::kExitFault);
}

// A breakpoint that nobody took: a semihosting call without a host returns that it has failed. Any other is a fault.
[[gnu::used]] void step_over(Frame* frame) {
    if (*reinterpret_cast<const std::uint16_t*>(frame->pc) != kSemihostingCall) report_fault(frame);
    board::reg(board::kHfsr) = board::reg(board::kHfsr);  // each bit is cleared by writing it
    frame->r0 = kNoHost;
    frame->pc += 2;
}

// CFSR knows the cause of every fault but of a breakpoint that nobody took. A report begins on an empty stack where the old one has no room
// left, and leaves the frame alone otherwise.
[[gnu::naked]] void fault_handler() {
    asm volatile(
        "tst lr, #4\n"
        "ite eq\n"
        "mrseq r0, msp\n"
        "mrsne r0, psp\n"
        "ldr r1, =0xe000ed28\n"
        "ldr r1, [r1]\n"
        "cmp r1, #0\n"
        "beq step_over\n"
        "ldr r1, =stack_bottom + 512\n"
        "cmp r0, r1\n"
        "itt lo\n"
        "ldrlo r1, =stack_top\n"
        "msrlo msp, r1\n"
        "b report_fault\n"
        ".ltorg");
}

[[noreturn]] void __assert_func(const char* file, int line, const char*, const char* expression) {
    board::report_assertion(file, line, expression);
}

[[noreturn]] void abort() { board::report_assertion("abort", 0, "abort()"); }
}

namespace board {

void report_assertion(const char* file, int line, const char* expression) {
    print("assertion failed at ");
    if (*file == '\0') {
        print_hexadecimal(static_cast<std::uint32_t>(line));  // see AssertionHook
    } else {
        print(file);
        print(":");
        print(static_cast<std::uint64_t>(line));
        print(": ");
        print(expression);
    }
    print("\n");
    finish(kExitAssertion);
}

}  // namespace board
