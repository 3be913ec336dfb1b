#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>

namespace station {

// Prints what a node says of itself as a line; of what only counts, nothing.
void tell_life(dunlin::Instant now, const dunlin::Event& event);

}  // namespace station
