#include "report.hpp"

#include <cortex_m/board.hpp>

namespace self_test {
namespace {

std::uint32_t checks = 0;
std::uint32_t passed = 0;

}  // namespace

void check(bool holds, std::string_view sentence) {
    ++checks;
    if (holds) ++passed;
    board::print(holds ? "ok: " : "FAILED: ");
    board::print(sentence);
    board::print("\n");
}

void tell(std::string_view what, std::uint64_t number, std::string_view unit) {
    board::print(what);
    board::print(number);
    board::print(unit);
    board::print("\n");
}

bool summary() {
    board::print("self-test: passed ");
    board::print(std::uint64_t{passed});
    board::print(" of ");
    board::print(std::uint64_t{checks});
    board::print("\n");
    return passed == checks;
}

}  // namespace self_test
