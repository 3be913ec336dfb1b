#include <cortex_m/arguments.hpp>
#include <cortex_m/board.hpp>
#include <cortex_m/entropy.hpp>
#include <cortex_m/semihosting.hpp>

#include <dunlin/core/random.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace board {
namespace {

std::optional<dunlin::Random> generator;
std::uint64_t noise_at_start = 0;
// Start-up does not clear it: it makes starts without a loss of power between them differ.
[[gnu::noinit]] std::uint64_t carried;

std::uint64_t hexadecimal(std::string_view digits) {
    std::uint64_t value = 0;
    bool good = digits.size() <= 16;
    for (const char digit : digits) {
        const bool decimal = digit >= '0' && digit <= '9';
        const bool letter = digit >= 'a' && digit <= 'f';
        good = good && (decimal || letter);
        value = value << 4U | static_cast<std::uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
    }
    if (good) return value;
    print("arguments: entropy= takes 1 to 16 hexadecimal digits\n");
    finish(kExitArguments);
}

std::uint64_t seed(std::uint32_t ticks) {
    // A reset finds the same word, and is another start.
    if (const std::string_view digits = argument("entropy"); !digits.empty()) return hexadecimal(digits) ^ noise_at_start ^ carried;
    std::uint64_t random = 0;
    if (semihosting::random_bytes(std::as_writable_bytes(std::span(&random, 1)))) return random;
    print("entropy: from noise alone, which is weak\n");
    random = noise_at_start ^ carried ^ ticks;
    for (const char letter : argument_text()) random = (random ^ static_cast<std::uint8_t>(letter)) * 0x100'0000'01b3;  // FNV-1a
    return random;
}

}  // namespace

void keep_noise(std::uint64_t noise) { noise_at_start = noise; }

std::uint64_t draw_nonzero_u64(std::uint32_t ticks) {
    if (!generator) generator.emplace(seed(ticks));
    const std::uint64_t drawn = generator->next_nonzero_u64();
    carried ^= drawn ^ ticks;
    return drawn;
}

}  // namespace board
