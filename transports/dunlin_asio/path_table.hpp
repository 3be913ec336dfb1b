#pragma once

#include <dunlin/core/ids.hpp>

#include <dunlin_asio/address.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dunlin_asio {

// Names the far ends of one UDP socket: an address has one PathId for as long as it is known here, and a PathId is never given
// to a second address (until 2^32 have been given). Bounded. When full, the path that was longest out of use makes
// room: first among those that were never answered, so that a flood of forged source addresses pushes out its own, then among
// the others; a dialled path makes room for another dial only. O(1) on average; no allocation after construction.
class PathTable {
  public:
    // `paths_max`: 1..65,534. `hash_seed`: random, so that nobody outside can choose addresses that collide.
    PathTable(std::size_t paths_max, std::uint64_t hash_seed);

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
    // The same without counting.
    [[nodiscard]] const Endpoint* find(dunlin::PathId path) const;
    // Whether trains of datagrams may be sent to a path (gso.hpp): they may until the kernel refused one. False for an unknown path.
    [[nodiscard]] bool takes_trains(dunlin::PathId path) const;
    void refuse_trains(dunlin::PathId path);
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    // A slot is in exactly one list, in order of use.
    enum List : std::uint8_t { free_list, stranger, answered, dialled, list_count };
    struct Slot {
        Endpoint endpoint{};
        std::uint32_t id = 0;
        std::uint16_t bucket_next = kNone;
        std::uint16_t newer = kNone;
        std::uint16_t older = kNone;
        List list = free_list;
        bool takes_trains = true;
    };
    struct Ends {
        std::uint16_t newest = kNone;
        std::uint16_t oldest = kNone;
    };
    static constexpr std::uint16_t kNone = 0xffff;

    [[nodiscard]] std::size_t bucket_of(const Endpoint& endpoint) const;
    [[nodiscard]] std::uint16_t slot_of(const Endpoint& endpoint) const;
    [[nodiscard]] std::uint16_t slot_of(dunlin::PathId path) const;
    [[nodiscard]] std::uint16_t take(const Endpoint& endpoint, List last_resort, dunlin::PathId& evicted);
    void forget(std::uint16_t slot);
    void move_to(std::uint16_t slot, List list);  // as its newest

    std::vector<Slot> slots_;
    std::vector<std::uint16_t> buckets_;
    Ends ends_[list_count];
    std::uint64_t hash_seed_;
    std::size_t size_ = 0;
};

}  // namespace dunlin_asio
