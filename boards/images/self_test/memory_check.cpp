#include "checks.hpp"
#include "report.hpp"

#include <cortex_m/board.hpp>

#include <memory_map.hpp>

extern "C" std::byte ram_begin, ram_bytes, flash_bytes, stack_bytes;  // of the linker script: their addresses are the numbers

namespace self_test {
namespace {

std::size_t number(const std::byte& symbol) { return reinterpret_cast<std::uintptr_t>(&symbol); }

[[gnu::noinline]] void use_stack(std::size_t bytes) {
    if (bytes == 0) return;
    volatile std::byte block[64] = {};
    use_stack(bytes - sizeof block);
    static_cast<void>(block[0]);
}

}  // namespace

void check_memory() {
    const bool same = number(ram_bytes) == board::kRamBytes && number(flash_bytes) == board::kFlashBytes &&
                      number(stack_bytes) == board::kStackBytes && board::stack_bytes() == board::kStackBytes;
    check(same, "memory: the memory map says what the image was linked with");
    constexpr std::size_t kDeep = board::kStackBytes / 4;  // less than what a journal takes
    const std::size_t before = board::stack_used();
    use_stack(kDeep);
    check(before > 0 && before < kDeep && board::stack_used() >= kDeep, "memory: the stack is painted");
}

void check_stack() {
    board::print_stack_used();
    check(board::stack_used() <= board::kStackBytes / 8 * 7, "stack: an eighth was never used");
}

}  // namespace self_test
