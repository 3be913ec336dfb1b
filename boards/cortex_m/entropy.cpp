#include <cortex_m/arguments.hpp>
#include <cortex_m/board.hpp>
#include <cortex_m/entropy.hpp>
#include <cortex_m/semihosting.hpp>

#include <dunlin/core/checksum.hpp>
#include <dunlin/core/random.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace board {
namespace {

std::optional<dunlin::Random> generator;
bool from_host = false;  // some of the seed
std::uint64_t noise_at_start = 0;
// Start-up does not clear it: it makes starts without a loss of power between them differ.
[[gnu::noinit]] std::uint64_t carried;

// All that there is: none of it makes the others worse.
std::uint64_t seed(std::uint32_t ticks) {
    std::uint64_t random = 0;
    from_host = semihosting::random_bytes(std::as_writable_bytes(std::span(&random, 1)));
    if (!from_host) print("entropy: from noise alone, which is weak\n");
    return dunlin::fnv1a64(std::as_bytes(std::span(argument_text())), random ^ noise_at_start ^ carried ^ ticks);
}

}  // namespace

void keep_noise(std::uint64_t noise) { noise_at_start = noise; }

std::uint64_t draw_nonzero_u64(std::uint32_t ticks) {
    if (!generator) generator.emplace(seed(ticks));
    const std::uint64_t drawn = generator->next_nonzero_u64();
    carried ^= drawn ^ ticks;
    return drawn;
}

bool draws_from_host(std::uint32_t ticks) {
    if (!generator) generator.emplace(seed(ticks));
    return from_host;
}

}  // namespace board
