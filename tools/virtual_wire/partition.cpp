#include "partition.hpp"

#include <algorithm>

namespace dunlin_wire {

Partition::Partition(std::size_t ports) : groups_(ports), isolated_(ports) {}

void Partition::split(std::span<const std::vector<PortIndex>> groups) {
    std::ranges::fill(groups_, std::uint16_t{0});
    std::uint16_t number = 0;
    for (const std::vector<PortIndex>& group : groups) {
        ++number;
        for (const PortIndex port : group) groups_[port.value()] = number;
    }
}

bool Partition::join(PortIndex port) {
    const bool was_isolated = isolated_[port.value()];
    isolated_[port.value()] = false;
    return was_isolated;
}

void Partition::heal() {
    std::ranges::fill(groups_, std::uint16_t{0});
    isolated_.assign(isolated_.size(), false);
}

bool Partition::connected(PortIndex one, PortIndex other) const {
    if (isolated_[one.value()] || isolated_[other.value()]) return false;
    const std::uint16_t of_one = groups_[one.value()];
    const std::uint16_t of_other = groups_[other.value()];
    return of_one == 0 || of_other == 0 || of_one == of_other;
}

}  // namespace dunlin_wire
