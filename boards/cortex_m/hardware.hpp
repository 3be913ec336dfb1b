#pragma once

// What each board defines for what all Cortex-M boards share. Beside it stands the node's port, dunlin_lwip/port.hpp.
namespace board {

// Called once after memory is as the program expects it and before any constructor: starts the console and the clock.
void start_hardware();

// One letter to the console; waits while the transmitter is full. Works from a fault handler too.
void write_console(char letter);
// Waits until the last letter has left the board: a reset follows.
void drain_console();

}  // namespace board
