#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin_sim/checkers/configurations.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin::sim {

// Follows the rounds by which leaders confirm that they lead (Raft thesis §6.4), off the packets between voters: each append and
// each chunk of an image has a number, which its answer repeats.
class ReadRounds {
  public:
    // Packets with records of consensus.
    void on_send(std::size_t process, std::span<const std::byte> bytes);
    void on_receive(std::size_t process, std::size_t from, std::span<const std::byte> bytes);
    void on_crash(std::size_t process);

    // The last round that this process has begun.
    [[nodiscard]] std::uint64_t last(std::size_t process) { return seen_of(process).last; }
    // Which others have answered it, in its present term, a later round than `round`. A packet that it has refused counts too.
    [[nodiscard]] Processes answered_after(std::size_t process, std::uint64_t round);

  private:
    struct Seen {
        std::uint64_t last = 0;
        Term term{};                          // of what it sent last
        std::vector<std::uint64_t> answered;  // by process: the latest round, in that term
    };
    [[nodiscard]] Seen& seen_of(std::size_t process);

    std::vector<Seen> seen_;  // by process
};

}  // namespace dunlin::sim
