#pragma once

#include <stdexcept>

namespace dunlin::sim {

// The simulator was called in a way that makes no sense; what() says which. A bug of the test, never of a node in it.
class Misuse : public std::logic_error {
    using std::logic_error::logic_error;
};

}  // namespace dunlin::sim
