#include "figures.hpp"

#include <array>
#include <utility>

namespace dunlin_wire {

std::string to_line(const Figures& figures) {
    const std::array<std::pair<const char*, std::uint64_t>, 11> named{{
        {"frames", figures.frames},
        {"delivered", figures.delivered},
        {"lost", figures.lost},
        {"duplicated", figures.duplicated},
        {"delayed_max", figures.delayed_max},
        {"ways", figures.ways},
        {"cut", figures.cut},
        {"absent", figures.absent},
        {"overflowed", figures.overflowed},
        {"malformed", figures.malformed},
        {"waiting", figures.waiting},
    }};
    std::string line = "wire:";
    for (const auto& [name, value] : named) line += std::string(" ") + name + "=" + std::to_string(value);
    return line;
}

}  // namespace dunlin_wire
