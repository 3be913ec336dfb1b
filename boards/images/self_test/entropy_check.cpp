#include "checks.hpp"
#include "report.hpp"

#include <cortex_m/board.hpp>

#include <dunlin_lwip/port.hpp>

namespace self_test {

std::uint64_t check_entropy() {
    const std::uint64_t first = dunlin_lwip::port::random_nonzero_u64();
    const std::uint64_t second = dunlin_lwip::port::random_nonzero_u64();
    board::print("entropy: drew ");
    board::print_hexadecimal(static_cast<std::uint32_t>(first >> 32U));
    board::print(" ");
    board::print_hexadecimal(static_cast<std::uint32_t>(first));
    board::print("\n");
    check(first != 0 && second != 0 && first != second, "entropy: two draws differ, and none is 0");
    return first;
}

}  // namespace self_test
