#pragma once

#include <dunlin/node/node_memory.hpp>

#include <memory_map.hpp>

#include <cstddef>

namespace board {

// Whether a node of limits `L` fits the board's RAM beside its stack and `other_bytes`: the pools of the network stack, buffers, what the
// application has. Where it does not, compiling stops here with the sentence, and not in the linker with an address.
template <dunlin::Limits L, std::size_t other_bytes>
consteval bool fits() {
    static_assert(sizeof(dunlin::NodeMemory<L>) + other_bytes + kStackBytes <= kRamBytes,
                  "the board has too little RAM: the node's memory for these limits, its packet pools and buffers, and the stack together "
                  "need more than board::kRamBytes");
    return true;
}

}  // namespace board
