#pragma once

#include <cstdint>

// The checks of a port, a file each.
namespace self_test {

// memory_map.hpp says what the image was linked with; the stack is painted, and an eighth of it was never used.
void check_memory();
void check_stack();
// Never back, on while the core sleeps, at the rate of a semihosting host's clock; sleeps end in time. Argument `host=busy`: an emulator on
// a host with other work to do ends sleeps when it may, and that is no check. Argument `host_clock=no`: it does not keep the host's time.
void check_clock();
// Argument `sleep_s=N`: one long sleep. (An emulator that skips the time of sleep makes it short.)
void check_long_sleep();
// Two draws differ. The first one is given back.
[[nodiscard]] std::uint64_t check_entropy();
// Argument `storage=none`: the board needs none. Without it one must be there, and work.
// Only where the storage is blank, or holds the self-test's own journal, whole; argument `erase=yes`: whatever it holds. Its last two erase
// blocks are erased, written and read; the rest gets a journal of the self-test's own, in which it counts its starts: what it stored in an
// earlier one is there, and its first random number was another. In the end the storage is left blank, but for argument `keep=yes`: then the
// next start finds the journal. Argument `resets=N`: before start N + 1 of a storage it resets the board. Argument `strict=yes`: the flash is
// a model, and refuses what flash cannot do. Argument `drawn=HEX`: it stores this as its first random number (by which the check is checked).
void check_storage(std::uint64_t drawn);
// Opens the controller with the address of argument `mac=` (twelve hexadecimal digits), and sends a frame. Arguments `own=` and `peer=`
// (IPv4): it asks who has the peer's address (ARP), and the answer must come, and end a sleep.
void check_ethernet();

}  // namespace self_test
