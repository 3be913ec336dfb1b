#include <dunlin/core/checksum.hpp>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace dunlin {
namespace {

// A microcontroller has no data cache that would make more tables pay: one of 1 KiB, a byte a step and a word a turn; where that is too
// much flash (DUNLIN_SMALL_FLASH), one of 64 bytes, half a byte a step. Elsewhere eight tables (8 KiB, in L1) take eight bytes a step. All
// ways give the same sums.
#if !defined(__ARM_ARCH_PROFILE) || __ARM_ARCH_PROFILE != 'M'
#define DUNLIN_CHECKSUM_BY_EIGHT_TABLES
constexpr std::size_t kTables = 8;
constexpr unsigned kBits = 8;  // that one step takes off
#elif !defined(DUNLIN_SMALL_FLASH)
#define DUNLIN_CHECKSUM_BY_WORDS
constexpr std::size_t kTables = 1;
constexpr unsigned kBits = 8;
#else
constexpr std::size_t kTables = 1;
constexpr unsigned kBits = 4;
#endif
constexpr std::size_t kRows = std::size_t{1} << kBits;

constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // Castagnoli, bits reversed

using Tables = std::array<std::array<std::uint32_t, kRows>, kTables>;

// tables[t][b]: what byte b contributes when t more bytes follow it in the same step.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t row = 0; row < kRows; ++row) {
        std::uint32_t crc = row;
        for (unsigned bit = 0; bit < kBits; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        tables[0][row] = crc;
    }
    for (std::size_t t = 1; t < kTables; ++t) {
        for (std::size_t row = 0; row < kRows; ++row) {
            const std::uint32_t before = tables[t - 1][row];
            tables[t][row] = (before >> kBits) ^ tables[0][before & (kRows - 1)];
        }
    }
    return tables;
}

constexpr Tables kTable = make_tables();

constexpr std::uint32_t step(std::uint32_t crc, std::byte byte) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (unsigned bits = 0; bits < 8; bits += kBits) crc = (crc >> kBits) ^ kTable[0][crc & (kRows - 1)];
    return crc;
}

static_assert(std::endian::native == std::endian::little, "bytes are loaded as little-endian words");

#if defined(DUNLIN_CHECKSUM_BY_WORDS)
// Written out, since the compiler unrolls nothing when it optimises for size: a step is three instructions, a turn of a loop two more.
template <std::size_t... kSteps>
[[gnu::always_inline]] inline std::uint32_t steps_of_word(std::uint32_t crc, std::index_sequence<kSteps...>) {
    ((static_cast<void>(kSteps), crc = (crc >> kBits) ^ kTable[0][crc & (kRows - 1)]), ...);
    return crc;
}

std::uint32_t add_words(std::uint32_t crc, const std::byte* bytes, std::size_t words) {
    for (; words > 0; --words, bytes += sizeof(std::uint32_t)) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes, sizeof(word));
        crc = steps_of_word(crc ^ word, std::make_index_sequence<32 / kBits>{});
    }
    return crc;
}
#elif defined(DUNLIN_CHECKSUM_BY_EIGHT_TABLES)
std::uint32_t eight_steps(std::uint32_t crc, const std::byte* bytes) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, bytes, sizeof(low));
    std::memcpy(&high, bytes + sizeof(low), sizeof(high));
    low ^= crc;
    return kTable[7][low & 0xffU] ^ kTable[6][(low >> 8U) & 0xffU] ^ kTable[5][(low >> 16U) & 0xffU] ^ kTable[4][low >> 24U] ^
           kTable[3][high & 0xffU] ^ kTable[2][(high >> 8U) & 0xffU] ^ kTable[1][(high >> 16U) & 0xffU] ^ kTable[0][high >> 24U];
}
#endif

#if defined(__x86_64__) && defined(__GNUC__)
// The processor's own instruction for this polynomial (SSE 4.2), several times as fast as the tables. A word takes three cycles, but
// it can begin one each cycle: so of three stripes in a row the sums are made side by side, and those of the first two moved on
// over what follows them. To move a sum on over n bytes is to multiply it by x^8n: by x^(8n - 33) without carries (PCLMUL), and by
// the rest, and modulo the polynomial, as the instruction does with a word (the 33rd x is the bit that a reflected product lacks).
constexpr std::size_t kStripeBytes = 160;  // nine of them fill a packet of 1472 bytes, six one of 1200 to four fifths

constexpr std::uint64_t moved_on_by(std::size_t bytes) {
    std::uint32_t power = 0x8000'0000U;  // 1, bits reversed
    for (std::size_t i = 0; i < 8 * bytes - 33; ++i) power = (power >> 1U) ^ ((power & 1U) != 0 ? kPolynomial : 0U);
    return power;
}

std::uint64_t word_at(const std::byte* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
}

[[gnu::target("sse4.2,pclmul")]] std::uint64_t crc_of_stripes(std::uint64_t crc, const std::byte* bytes) {
    using Pair = long long __attribute__((vector_size(16)));
    constexpr Pair kMoves = {static_cast<long long>(moved_on_by(2 * kStripeBytes)), static_cast<long long>(moved_on_by(kStripeBytes))};
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kStripeBytes; i += 8) {
        crc = __builtin_ia32_crc32di(crc, word_at(bytes + i));
        second = __builtin_ia32_crc32di(second, word_at(bytes + kStripeBytes + i));
        third = __builtin_ia32_crc32di(third, word_at(bytes + 2 * kStripeBytes + i));
    }
    const Pair sums = {static_cast<long long>(crc), static_cast<long long>(second)};
    const Pair products = __builtin_ia32_pclmulqdq128(sums, kMoves, 0x00) ^ __builtin_ia32_pclmulqdq128(sums, kMoves, 0x11);
    return __builtin_ia32_crc32di(0, static_cast<std::uint64_t>(products[0])) ^ third;
}

[[gnu::target("sse4.2")]] std::uint32_t crc_by_instruction(std::uint32_t crc, std::span<const std::byte> bytes) {
    std::uint64_t wide = crc;
    if (__builtin_cpu_supports("pclmul")) {
        for (; bytes.size() >= 3 * kStripeBytes; bytes = bytes.subspan(3 * kStripeBytes)) wide = crc_of_stripes(wide, bytes.data());
    }
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) wide = __builtin_ia32_crc32di(wide, word_at(bytes.data()));
    auto narrow = static_cast<std::uint32_t>(wide);
    for (const std::byte byte : bytes) narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<unsigned char>(byte));
    return narrow;
}
#endif

constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325U;
constexpr std::uint64_t kFnvPrime = 0x100000001b3U;

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_by_instruction(~seed, bytes);
#endif
    return crc32c_by_table(bytes, seed);
}

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t seed) {
    std::uint32_t crc = ~seed;
#if defined(DUNLIN_CHECKSUM_BY_WORDS)
    const std::size_t words = bytes.size() / sizeof(std::uint32_t);
    crc = add_words(crc, bytes.data(), words);
    bytes = bytes.subspan(words * sizeof(std::uint32_t));
#elif defined(DUNLIN_CHECKSUM_BY_EIGHT_TABLES)
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = eight_steps(crc, bytes.data());
#endif
    for (const std::byte byte : bytes) crc = step(crc, byte);
    return ~crc;
}

std::uint64_t fnv1a64(std::string_view text) { return fnv1a64(std::as_bytes(std::span(text)), kFnvOffset); }

std::uint64_t fnv1a64(std::span<const std::byte> bytes, std::uint64_t seed) {
    std::uint64_t hash = seed;
    for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * kFnvPrime;
    return hash;
}

}  // namespace dunlin
