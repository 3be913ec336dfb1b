// Proves a port: that a board's functions (dunlin_lwip/port.hpp, cortex_m/hardware.hpp) guarantee what a node rests on. docs/porting.md says
// how to use it. Ends with status 0 where all checks held, 1 otherwise; where nobody waits for a status, it waits for a reset: to begin
// anew by itself would wear the flash out within hours.
#include "checks.hpp"
#include "report.hpp"

#include <cortex_m/board.hpp>
#include <cortex_m/interrupts.hpp>
#include <cortex_m/semihosting.hpp>

int main() {
    self_test::check_memory();
    self_test::check_clock();
    self_test::check_long_sleep();
    self_test::check_storage(self_test::check_entropy());
    self_test::check_ethernet();
    self_test::check_stack();
    const bool passed = self_test::summary();
    if (board::semihosting::present()) return passed ? 0 : 1;
    board::print("self-test: press reset to run it again\n");
    while (true) board::wait_for_interrupt();
}
