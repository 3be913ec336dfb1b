// How an image ends: with a status where somebody waits for it, with a reset where nobody does.
#include <cortex_m/board.hpp>
#include <cortex_m/hardware.hpp>
#include <cortex_m/registers.hpp>
#include <cortex_m/semihosting.hpp>

namespace board {

void finish(std::uint32_t status) {
    drain_console();
    semihosting::exit(status);
    reset();
}

void reset() {
    drain_console();
    reset_at_once();
}

void reset_at_once() {
    constexpr std::uint32_t kKeyAndSysResetReq = 0x05fa'0004;
    asm volatile("dsb" ::: "memory");
    reg(kAircr) = kKeyAndSysResetReq;
    asm volatile("dsb" ::: "memory");
    while (true) {}
}

}  // namespace board
