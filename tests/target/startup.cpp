// What a unit test needs on an emulated Cortex-M before its main() runs, and what GoogleTest asks of a system that newlib does not give.
// Only for tests: an image has none of it, least of all a heap. Everything goes by semihosting, to the emulator.
#include <dunlin/core/assert.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

extern "C" {
extern std::uint32_t stack_top;
extern std::uint32_t data_image, data_begin, data_end, bss_begin, bss_end;

void initialise_monitor_handles();  // newlib opens the standard streams
void __libc_init_array();
int main(int count, char** words);

[[noreturn]] void reset_handler();
[[noreturn]] void fault_handler();
[[noreturn, gnu::used]] void report_fault(const std::uint32_t* frame);

extern void* __dso_handle;
void _init();
void _fini();
}

namespace {

using Handler = void (*)();
struct Vectors {
    std::uint32_t* stack;
    Handler handlers[15];
};
constexpr Handler kFault = fault_handler;
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors{
    &stack_top,
    {reset_handler, kFault, kFault, kFault, kFault, kFault, nullptr, nullptr, nullptr, nullptr, kFault, kFault, nullptr, kFault, kFault}};

// Semihosting operations (Arm, Semihosting for AArch32 and AArch64).
constexpr std::uint32_t kWriteText = 0x04;
constexpr std::uint32_t kGetCommandLine = 0x15;
constexpr std::uint32_t kExitExtended = 0x20;
constexpr std::uint32_t kApplicationExit = 0x20026;

std::uint32_t semihosting(std::uint32_t operation, const void* argument) {
    register std::uint32_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = argument;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

// For when nothing can be relied on, the heap and newlib's streams least of all.
[[noreturn]] void end(const char* text, std::uint32_t status) {
    semihosting(kWriteText, text);
    const std::uint32_t block[2] = {kApplicationExit, status};
    semihosting(kExitExtended, block);
    while (true) {}
}

[[noreturn]] void end(const char* what, std::uint32_t address, std::uint32_t caller, std::uint32_t status) {
    char text[96];
    std::snprintf(text, sizeof text, "%s at %#x, called from %#x\n", what, static_cast<unsigned>(address), static_cast<unsigned>(caller));
    end(text, status);
}

[[noreturn]] void on_assertion(const char*, int line, const char*) {
    end("assertion failed", static_cast<std::uint32_t>(line), 0, 70);  // addr2line knows the place
}

constexpr std::size_t kWordsMax = 8;
char command_line[8192];
char* words[kWordsMax + 1];

int split_command_line() {
    struct {
        char* text;
        std::uint32_t bytes;
    } block{command_line, sizeof command_line};
    if (semihosting(kGetCommandLine, &block) != 0) end("no command line, or one of more than 8191 bytes\n", 72);
    std::size_t count = 0;
    for (char* at = command_line; *at != '\0';) {
        if (count == kWordsMax) end("more than 8 words in the command line\n", 72);
        words[count++] = at;
        while (*at != '\0' && *at != ' ') ++at;
        if (*at == ' ') *at++ = '\0';
    }
    return static_cast<int>(count);
}

}  // namespace

void reset_handler() {
    const std::uint32_t* from = &data_image;
    for (std::uint32_t* to = &data_begin; to != &data_end; ++to) *to = *from++;
    for (std::uint32_t* to = &bss_begin; to != &bss_end; ++to) *to = 0;
    initialise_monitor_handles();
    dunlin::set_assertion_hook(on_assertion);
    __libc_init_array();
    std::exit(main(split_command_line(), words));
}

// The stack pointer at entry points at the frame that the core pushed: r0-r3, r12, lr, pc, xpsr (Armv7-M §B1.5.6).
[[gnu::naked]] void fault_handler() { asm volatile("mrs r0, msp\n b report_fault"); }

void report_fault(const std::uint32_t* frame) { end("fault", frame[6], frame[5], 71); }

// Parts of the C++ library's own start-up that are not used here.
void* __dso_handle = nullptr;
void _init() {}
void _fini() {}

// For reports in files, which nobody asks for here.
int mkdir(const char*, mode_t) {
    errno = ENOSYS;
    return -1;
}
char* getcwd(char*, std::size_t) {
    errno = ENOSYS;
    return nullptr;
}
