#include <dunlin/core/division.hpp>

namespace dunlin {

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'

Division divide(std::uint64_t dividend, std::uint64_t divisor) {
    Division result{.quotient = dividend};
    for (int bit = 0; bit < 64; ++bit) {
        const bool carry = (result.remainder >> 63U) != 0;
        result.remainder = result.remainder << 1U | result.quotient >> 63U;
        result.quotient <<= 1U;
        if (!carry && result.remainder < divisor) continue;
        result.remainder -= divisor;
        result.quotient |= 1U;
    }
    return result;
}

#else

Division divide(std::uint64_t dividend, std::uint64_t divisor) { return {.quotient = dividend / divisor, .remainder = dividend % divisor}; }

#endif

}  // namespace dunlin
