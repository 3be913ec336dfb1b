#pragma once

#include "arguments.hpp"

#include <cstdint>
#include <vector>

namespace link_bench {

[[nodiscard]] std::int64_t now_ns();  // CLOCK_MONOTONIC, the clock of Arguments::begin_ns

// The stretch of time that is measured: from the first tick() at or after begin_ns to the first at or after end_ns. Before lies the
// warm-up; after it the publisher goes on a little, so that its subscriber ends its own window under load.
class Window {
  public:
    explicit Window(const Arguments& arguments);

    // `messages`: how many this side has dealt with since its start. Call it often; some 40 ns.
    void tick(std::uint64_t messages);
    [[nodiscard]] bool open() const { return opened_ && !closed_; }
    [[nodiscard]] bool over() const { return over_; }
    // A round trip of a message that was sent while open(). Kept up to a number that no run reaches.
    void latency(std::int64_t nanoseconds);
    // One line of JSON on standard output: messages, seconds, processor seconds of the whole process, allocations, latencies.
    void print() const;

  private:
    struct Mark {
        std::uint64_t messages = 0;
        std::int64_t time_ns = 0;
        double cpu_s = 0;
        std::uint64_t allocations = 0;
    };
    [[nodiscard]] static Mark mark(std::uint64_t messages);
    [[nodiscard]] std::int64_t percentile(double share) const;

    std::int64_t begin_ns_;
    std::int64_t end_ns_;
    std::int64_t over_ns_;
    Mark from_;
    Mark to_;
    bool opened_ = false;
    bool closed_ = false;
    bool over_ = false;
    mutable std::vector<std::int64_t> latencies_;
};

// Tells link_bench.py that the other side may start.
void say_ready();

}  // namespace link_bench
