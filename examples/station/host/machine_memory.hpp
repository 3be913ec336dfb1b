#pragma once

#include <dunlin/core/limits.hpp>

namespace station {

// A host has the memory.
template <dunlin::Limits L>
consteval bool fits_machine() {
    return true;
}

}  // namespace station
