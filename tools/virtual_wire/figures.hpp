#pragma once

#include <cstdint>
#include <string>

namespace dunlin_wire {

// What became of the frames so far. A frame goes one way to each port that it leaves by, so of all ways together
// ways + duplicated = delivered + lost + cut + absent + overflowed + waiting.
struct Figures {
    std::uint64_t frames = 0;       // that came in
    std::uint64_t ways = 0;         // that they were to go
    std::uint64_t delivered = 0;    // copies that the other end of a port took
    std::uint64_t lost = 0;         // by the seed
    std::uint64_t duplicated = 0;   // copies that were added
    std::uint64_t delayed_max = 0;  // the most that waited at one port at a time
    std::uint64_t cut = 0;          // by a partition or an isolation, at the beginning or at the end of their way
    std::uint64_t absent = 0;       // nobody was at the other end of the port
    std::uint64_t overflowed = 0;   // too many waited at the port already
    std::uint64_t malformed = 0;    // came in shorter or longer than a frame can be; in none of the above
    std::uint64_t waiting = 0;      // at this moment
};

// "wire: frames=12 delivered=11 lost=1 ..." without a newline.
[[nodiscard]] std::string to_line(const Figures& figures);

}  // namespace dunlin_wire
