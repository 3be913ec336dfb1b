// From reset to main(): vector table, stack, memory, hardware, static constructors, arguments.
#include <cortex_m/arguments.hpp>
#include <cortex_m/board.hpp>
#include <cortex_m/entropy.hpp>
#include <cortex_m/faults.hpp>
#include <cortex_m/hardware.hpp>
#include <cortex_m/registers.hpp>
#include <cortex_m/semihosting.hpp>
#include <cortex_m/stack.hpp>

#include <dunlin/core/assert.hpp>

#include <cstdint>

extern "C" {
extern std::uint32_t data_image, data_begin, data_end, bss_begin, bss_end;
using Initialiser = void (*)();
extern Initialiser init_array_begin, init_array_end;

int main(int argc, char** argv);
[[noreturn]] void reset_handler();
}

namespace {

using Handler = void (*)();
struct Vectors {
    std::uint32_t* stack;
    Handler handlers[15];
};
constexpr Handler kFault = fault_handler;
// Those of the core. An application with interrupt handlers puts theirs into section .vectors.interrupts, which comes right behind.
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors{
    &stack_top,
    {reset_handler, kFault, kFault, kFault, kFault, kFault, nullptr, nullptr, nullptr, nullptr, kFault, kFault, nullptr, kFault, kFault}};

}  // namespace

void reset_handler() {
    board::reg(board::kVtor) = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&vectors));
    board::reg(board::kShcsr) = board::kFaultHandlers;
    const std::uint64_t noise = board::paint_stack();
    const std::uint32_t* from = &data_image;
    for (std::uint32_t* to = &data_begin; to != &data_end; ++to) *to = *from++;
    for (std::uint32_t* to = &bss_begin; to != &bss_end; ++to) *to = 0;
    dunlin::set_assertion_hook(board::report_assertion);
    board::start_hardware();
    board::semihosting::find_host();
    board::keep_noise(noise);
    for (Initialiser* initialiser = &init_array_begin; initialiser != &init_array_end; ++initialiser) (*initialiser)();
    const board::Arguments arguments = board::read_arguments();
    board::finish(static_cast<std::uint32_t>(main(arguments.count, arguments.words)));
}
