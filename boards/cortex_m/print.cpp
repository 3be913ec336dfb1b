#include <cortex_m/board.hpp>
#include <cortex_m/hardware.hpp>

#include <dunlin/core/division.hpp>

namespace board {

void print(std::string_view text) {
    for (const char letter : text) write_console(letter);
}

void print(std::uint64_t number) {
    char digits[20];
    std::size_t first = sizeof digits;
    do {
        const dunlin::Division division = dunlin::divide(number, 10);
        digits[--first] = static_cast<char>('0' + division.remainder);
        number = division.quotient;
    } while (number != 0);
    print(std::string_view{digits + first, sizeof digits - first});
}

void print_hexadecimal(std::uint32_t number) {
    print("0x");
    for (int shift = 28; shift >= 0; shift -= 4) write_console("0123456789abcdef"[number >> shift & 15U]);
}

}  // namespace board
