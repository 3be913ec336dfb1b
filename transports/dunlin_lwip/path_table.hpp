#pragma once

#include <dunlin/core/ids.hpp>

#include <dunlin_lwip/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace dunlin_lwip {

// Names the far ends of one UDP port: an address has one PathId for as long as it is known here, and a PathId is never given
// to a second address (until 2^32 have been given). When full, the path that was longest out of use makes room: first among those
// that were never answered, so that a flood of forged source addresses pushes out its own, then among the others; a dialled path
// makes room for another dial only. The same rules as on hosts (dunlin_asio/path_table.hpp), in an array that is searched: O(paths).
class PathTable {
  public:
    static constexpr std::size_t kPathsMax = 32;

    constexpr explicit PathTable(std::size_t paths_max = kPathsMax) : left_out_(kPathsMax - paths_max) {}  // 1..kPathsMax

    // `evicted` is the path that made room, or 0.
    struct Found {
        dunlin::PathId path{};
        dunlin::PathId evicted{};
    };
    // The path of a datagram's source; 0 where it is new and every path is dialled.
    [[nodiscard]] Found received_from(const Endpoint& endpoint);
    // The path to an address that the node wants to keep.
    [[nodiscard]] Found dial(const Endpoint& endpoint);

    // Where to send to, or null where the path is not known. Counts as use, and as an answer.
    [[nodiscard]] const Endpoint* send_to(dunlin::PathId path);
    // Whether the node wants to keep it.
    [[nodiscard]] bool dialled(dunlin::PathId path) const;
    // Where send_to() would, without counting.
    [[nodiscard]] const Endpoint* find(dunlin::PathId path) const;
    [[nodiscard]] std::size_t size() const;

  private:
    // In the order in which they make room.
    enum class Standing : std::uint8_t { unused, stranger, answered, dialled };
    struct Slot {
        Endpoint endpoint{};
        Standing standing = Standing::unused;
        std::uint32_t id = 0;       // its remainder by the number of slots is the slot; 0: none was given
        std::uint32_t used_at = 0;  // uses_ as of its last use
    };

    [[nodiscard]] Slot* slot_of(const Endpoint& endpoint);
    [[nodiscard]] std::size_t slot_of(dunlin::PathId path) const;
    [[nodiscard]] std::size_t paths_max() const { return kPathsMax - left_out_; }
    [[nodiscard]] Slot* take(const Endpoint& endpoint, Standing last_resort, dunlin::PathId& evicted);
    [[nodiscard]] Slot* longest_unused(Standing standing);
    Found use(Slot& slot, Standing standing, dunlin::PathId evicted);

    std::array<Slot, kPathsMax> slots_{};
    std::size_t left_out_;  // of the slots; 0 as a rule: an object of zeros takes no flash
    std::uint32_t uses_ = 0;
};

}  // namespace dunlin_lwip
