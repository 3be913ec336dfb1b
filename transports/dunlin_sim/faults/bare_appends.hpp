#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/wire/record.hpp>
#include <dunlin_sim/world.hpp>

#include <cstdint>
#include <deque>
#include <vector>

namespace dunlin::sim {

// Makes some appends what a leader may say as well, and ours hardly ever does: they lose their entries, ask about an earlier
// entry of the same leader's log, and say all that it knows to be committed (Raft §5.3). A follower must commit no more than
// they show to be equal, whatever its own log goes on with.
class BareAppends {
  public:
    explicit BareAppends(World& world) : world_(world) {}

    // So many of a million appends from now on; 0: none. `draw`: seeds the choice.
    void start(std::uint32_t ppm, std::uint64_t draw);
    [[nodiscard]] std::uint64_t count() const { return count_; }

  private:
    static constexpr std::size_t kPointsMax = 8;
    struct Point {  // of a log
        std::uint64_t index = 0, term = 0;
    };
    struct Leader {
        std::uint64_t term = 0;
        std::deque<Point> points;  // that it has asked about in this term, the latest last
    };
    void alter(std::uint32_t from, std::vector<std::byte>& bytes);
    void strip(std::uint32_t from, std::vector<std::byte>& bytes, const wire::Record& record, const Point& point);

    World& world_;
    Random random_{1};
    std::uint32_t ppm_ = 0;
    std::uint64_t count_ = 0;
    std::vector<Leader> leaders_;  // by process
};

}  // namespace dunlin::sim
