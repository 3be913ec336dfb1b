#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/core/random.hpp>

#include <bit>

namespace dunlin {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

}  // namespace

Random::Random(std::uint64_t seed) : state_{} {
    const std::uint64_t low = splitmix64(seed);
    const std::uint64_t high = splitmix64(seed);
    state_[0] = static_cast<std::uint32_t>(low);
    state_[1] = static_cast<std::uint32_t>(low >> 32U);
    state_[2] = static_cast<std::uint32_t>(high);
    state_[3] = static_cast<std::uint32_t>(high >> 32U) | 1U;  // never the all-zero state
}

std::uint32_t Random::next_u32() {
    const std::uint32_t result = std::rotl(state_[1] * 5U, 7) * 9U;
    const std::uint32_t t = state_[1] << 9U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 11);
    return result;
}

std::uint64_t Random::next_u64() {
    const std::uint64_t high = next_u32();
    const std::uint64_t low = next_u32();
    return (high << 32U) | low;
}

std::uint64_t Random::next_nonzero_u64() {
    std::uint64_t value = next_u64();
    while (value == 0) value = next_u64();
    return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
    DUNLIN_ASSERT(bound > 0);
    const std::uint64_t excess = divide(~std::uint64_t{0}, bound).remainder + 1;
    const std::uint64_t limit = ~std::uint64_t{0} - (excess == bound ? 0 : excess);  // last unbiased value
    std::uint64_t value = next_u64();
    while (value > limit) value = next_u64();
    return divide(value, bound).remainder;
}

Duration Random::between(Duration low, Duration high) {
    DUNLIN_ASSERT(low <= high);
    const std::uint64_t width = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + Duration{static_cast<std::int64_t>(below(width))};
}

}  // namespace dunlin
