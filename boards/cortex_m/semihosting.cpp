#include <cortex_m/semihosting.hpp>

namespace board::semihosting {
namespace {

constexpr std::uint32_t kOpen = 0x01;
constexpr std::uint32_t kClose = 0x02;
constexpr std::uint32_t kRead = 0x06;
constexpr std::uint32_t kErrno = 0x13;
constexpr std::uint32_t kGetCommandLine = 0x15;
constexpr std::uint32_t kExitExtended = 0x20;
constexpr std::uint32_t kElapsed = 0x30;
constexpr std::uint32_t kTickFrequency = 0x31;
constexpr std::uint32_t kNanosecond = 1'000'000'000;  // as a frequency
constexpr std::uint32_t kApplicationExit = 0x20026;
constexpr std::uint32_t kReadBinary = 1;  // a mode of SYS_OPEN, fopen's "rb"
constexpr std::uint32_t kFailed = 0xffff'ffff;

bool found = false;

// kFailed also where there is no host.
std::uint32_t call(std::uint32_t operation, void* block) {
    register std::uint32_t r0 asm("r0") = operation;
    register void* r1 asm("r1") = block;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

std::uint32_t word(const void* address) { return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(address)); }

}  // namespace

void find_host() { found = call(kErrno, nullptr) != kFailed; }

bool present() { return found; }

void exit(std::uint32_t status) {
    std::uint32_t block[2] = {kApplicationExit, status};
    if (found) call(kExitExtended, block);
}

std::size_t command_line(std::span<char> to) {
    std::uint32_t block[2] = {word(to.data()), static_cast<std::uint32_t>(to.size())};
    if (!found || call(kGetCommandLine, block) != 0) return 0;
    return block[1];
}

bool random_bytes(std::span<std::byte> to) {
    static constexpr char kDevice[] = "/dev/urandom";
    if (!found) return false;
    std::uint32_t open[3] = {word(kDevice), kReadBinary, sizeof kDevice - 1};
    const std::uint32_t file = call(kOpen, open);
    if (file == kFailed) return false;
    std::uint32_t read[3] = {file, word(to.data()), static_cast<std::uint32_t>(to.size())};
    const bool whole = call(kRead, read) == 0;  // it says how many bytes it did not read
    std::uint32_t close[1] = {file};
    call(kClose, close);
    return whole;
}

bool elapsed_ns(std::uint64_t& to) {
    std::uint32_t block[2] = {};
    if (!found || call(kTickFrequency, nullptr) != kNanosecond || call(kElapsed, block) != 0) return false;
    to = std::uint64_t{block[1]} << 32U | block[0];
    return true;
}

}  // namespace board::semihosting
