#include <cortex_m/board.hpp>
#include <cortex_m/stack.hpp>

namespace board {
namespace {

constexpr std::uint32_t kPaint = 0x5ac3'963c;

}  // namespace

[[gnu::noinline]] std::uint64_t paint_stack() {
    std::uint32_t* used;
    asm volatile("mov %0, sp" : "=r"(used));
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;  // FNV-1a, a word at a time
    for (volatile std::uint32_t* word = &stack_bottom; word < used; ++word) {
        hash = (hash ^ *word) * 0x100'0000'01b3;
        *word = kPaint;
    }
    return hash;
}

std::size_t stack_used() {
    const volatile std::uint32_t* word = &stack_bottom;
    while (word < &stack_top && *word == kPaint) ++word;
    return static_cast<std::size_t>(&stack_top - word) * sizeof(std::uint32_t);
}

void print_stack_used() {
    print("stack: used ");
    print(std::uint64_t{stack_used()});
    print(" of ");
    print(std::uint64_t{stack_bytes()});
    print(" bytes\n");
}

std::size_t stack_bytes() { return static_cast<std::size_t>(&stack_top - &stack_bottom) * sizeof(std::uint32_t); }

}  // namespace board
