// Proves that a fault on the board is seen as a failure: writes where nothing is, and, where the board does not mind that (QEMU's lm3s6965evb
// does not), executes what is no instruction.
#include <cortex_m/registers.hpp>

int main() {
    board::reg(0xefff'fffc) = 1;
    asm volatile("udf #0");
    return 0;
}
