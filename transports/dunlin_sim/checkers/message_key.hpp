#pragma once

#include <compare>
#include <cstdint>

namespace dunlin::sim {

// One message of a workload; its payload starts with these bytes, as they lie here. A publisher with a journal goes on numbering where it
// was after a restart (its position tells it), and its `life` stays 0; any other starts anew with each life.
struct MessageKey {
    std::uint32_t publisher = 0;  // process
    std::uint32_t life = 0;
    std::uint64_t number = 0;  // from 1
    friend auto operator<=>(const MessageKey&, const MessageKey&) = default;
};
static_assert(sizeof(MessageKey) == 16);

}  // namespace dunlin::sim
