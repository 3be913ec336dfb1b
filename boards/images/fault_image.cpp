// Proves that a fault on the board is seen as a failure: writes where nothing is.
#include <cortex_m/board.hpp>

#include <cstdint>

int main() {
    *reinterpret_cast<volatile std::uint32_t*>(0xfffffff0u - 0x10000000u) = 1;
    return 0;
}
