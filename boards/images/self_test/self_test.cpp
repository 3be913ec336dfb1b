// Proves a port: that a board's functions (dunlin_lwip/port.hpp, cortex_m/hardware.hpp) guarantee what a node rests on. docs/porting.md says
// how to use it. Ends with status 0 where all checks held, 1 otherwise.
#include "checks.hpp"
#include "report.hpp"

#include <dunlin_lwip/port.hpp>

int main() {
    self_test::check_memory();
    self_test::check_clock();
    self_test::check_long_sleep();
    self_test::check_storage(self_test::check_entropy());
    self_test::check_ethernet();
    self_test::check_stack();
    return self_test::summary() ? 0 : 1;
}
