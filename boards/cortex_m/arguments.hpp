#pragma once

#include <span>

namespace board {

// What main() gets, see board.hpp.
struct Arguments {
    int count = 0;
    char** words = nullptr;  // a null pointer stands behind the last
};
// Reads and splits them. Called once, at start; argument() and main() see the same words.
[[nodiscard]] Arguments read_arguments();
// The memory that they lie in, all of it.
[[nodiscard]] std::span<const char> argument_text();

}  // namespace board
