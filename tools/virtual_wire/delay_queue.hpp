#pragma once

#include "frame.hpp"

#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin_wire {

// Frames that wait for their time at one port, the earliest first; of those of the same time, the one that came first. Invariant: at
// most `frames_max` wait.
class DelayQueue {
  public:
    struct Entry {
        dunlin::Instant due;
        std::uint64_t number;  // in the order of push()
        PortIndex from;
        SharedFrame frame;
    };

    explicit DelayQueue(std::size_t frames_max) : frames_max_(frames_max) {}

    // False: it is full, nothing was taken. O(log n).
    [[nodiscard]] bool push(dunlin::Instant due, PortIndex from, SharedFrame frame);
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    // The one that is due first; the queue is not empty. O(1), and O(log n) to take it away.
    [[nodiscard]] const Entry& front() const;
    void pop();

  private:
    std::size_t frames_max_;
    std::uint64_t pushed_ = 0;
    std::vector<Entry> entries_;  // a heap
};

}  // namespace dunlin_wire
