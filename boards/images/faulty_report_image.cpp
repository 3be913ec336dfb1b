// Proves that a fault for which there is no report does not stop the core: the console is put out of reach, so that the report of the first
// fault is a fault too, and the board begins anew.
#include <cortex_m/board.hpp>
#include <cortex_m/registers.hpp>

namespace {

// The memory protection unit (Armv7-M §B3.5): nobody may touch devices, handlers included; all else is as without it.
constexpr std::uintptr_t kControl = 0xe000ed94;
constexpr std::uintptr_t kRegionBase = 0xe000ed9c;
constexpr std::uintptr_t kRegionSize = 0xe000eda0;
constexpr std::uint32_t kDevices = 0x4000'0000U | 1U << 4U;  // region 0 begins here
constexpr std::uint32_t kHalfAGigabyte = 28U << 1U | 1U;     // without access
constexpr std::uint32_t kOnInHandlersToo = 1U | 1U << 1U | 1U << 2U;

constexpr std::uint32_t kSecondStart = 0x2e57'a127;
[[gnu::noinit]] std::uint32_t start;

}  // namespace

int main() {
    if (start == kSecondStart) {
        start = 0;
        board::print("the board has begun anew\n");
        return 0;
    }
    start = kSecondStart;
    board::reg(kRegionBase) = kDevices;
    board::reg(kRegionSize) = kHalfAGigabyte;
    board::reg(kControl) = kOnInHandlersToo;
    asm volatile("dsb\n isb\n udf #0" ::: "memory");
    return 1;
}
