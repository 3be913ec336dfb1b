#pragma once

#include "frame.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin_wire {

// Which ports reach which. Two things cut, and each ends by itself: the groups of a partition, and a port's isolation.
class Partition {
  public:
    explicit Partition(std::size_t ports);

    // From now on ports of different groups do not reach each other; a port in none of them reaches all. Replaces the partition before.
    void split(std::span<const std::vector<PortIndex>> groups);
    void isolate(PortIndex port) { isolated_[port.value()] = true; }
    // Ends its isolation. False: it was not isolated.
    [[nodiscard]] bool join(PortIndex port);
    void heal();  // ends the partition and every isolation
    [[nodiscard]] bool connected(PortIndex one, PortIndex other) const;

  private:
    std::vector<std::uint16_t> groups_;  // by port; 0: in none
    std::vector<bool> isolated_;
};

}  // namespace dunlin_wire
