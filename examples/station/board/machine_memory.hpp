#pragma once

#include <dunlin/core/limits.hpp>

#include <cortex_m/fits.hpp>

#include <cstddef>

namespace station {

// Whether a node of these limits fits the board, beside lwIP's pools and what else an image has. Where it does not, compiling stops here.
template <dunlin::Limits L>
consteval bool fits_machine() {
    constexpr std::size_t kOtherBytes = 8 * 1024;
    return board::fits<L, kOtherBytes>();
}

}  // namespace station
