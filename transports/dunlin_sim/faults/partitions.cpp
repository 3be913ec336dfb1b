#include <dunlin_sim/faults/partitions.hpp>

namespace dunlin::sim {

void cut_both(Network& network, std::size_t one, std::size_t other) {
    network.cut(one, other, true);
    network.cut(other, one, true);
}

void split(Network& network, std::size_t processes, std::size_t last_left) {
    for (std::size_t left = 0; left <= last_left; ++left) {
        for (std::size_t right = last_left + 1; right < processes; ++right) cut_both(network, left, right);
    }
}

void bridge(Network& network, std::size_t processes, std::size_t middle) {
    for (std::size_t left = 0; left < middle; ++left) {
        for (std::size_t right = middle + 1; right < processes; ++right) cut_both(network, left, right);
    }
}

void ring(Network& network, std::size_t processes) {
    for (std::size_t one = 0; one < processes; ++one) {
        for (std::size_t other = one + 2; other < processes; ++other) {
            if (one != 0 || other + 1 != processes) cut_both(network, one, other);
        }
    }
}

}  // namespace dunlin::sim
