#include "board.hpp"

#include <dunlin/core/division.hpp>

#include <cstddef>

namespace mps2 {
namespace {

// CMSDK APB UART (Arm DDI 0479, §4.3).
struct Uart {
    volatile std::uint32_t data;
    volatile std::uint32_t state;
    volatile std::uint32_t control;
    volatile std::uint32_t interrupt;
    volatile std::uint32_t baud_divider;
};
constexpr std::uintptr_t kUart0 = 0x40004000;
constexpr std::uint32_t kTransmitFull = 1;
constexpr std::uint32_t kTransmitEnable = 1;
constexpr std::uint32_t kBaudDividerMin = 16;

// Semihosting operations (Arm, Semihosting for AArch32 and AArch64).
constexpr std::uint32_t kExitExtended = 0x20;
constexpr std::uint32_t kApplicationExit = 0x20026;

void semihosting(std::uint32_t operation, const void* argument) {
    register std::uint32_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = argument;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

}  // namespace

void print(std::string_view text) {
    auto* uart = reinterpret_cast<Uart*>(kUart0);
    uart->baud_divider = kBaudDividerMin;
    uart->control = kTransmitEnable;
    for (const char letter : text) {
        while ((uart->state & kTransmitFull) != 0) {}
        uart->data = static_cast<std::uint8_t>(letter);
    }
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

void finish(std::uint32_t status) {
    const std::uint32_t block[2] = {kApplicationExit, status};
    semihosting(kExitExtended, block);
    while (true) {}
}

}  // namespace mps2
