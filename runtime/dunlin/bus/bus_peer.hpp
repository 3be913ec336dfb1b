#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::bus {

// What the bus keeps about one peer, by PeerIndex. Generations are those of one session.
struct BusPeer {
    Instant retry = kNever;    // when the batch under way is sent again; kNever: none is
    Instant stalled = kNever;  // records of this instant are not taken: the journal had no room for one
    BootEpoch epoch{};
    std::uint32_t acked = 0;                // the peer knows this node's table up to here
    std::uint32_t mark = 0;                 // generation of the end mark of this session
    std::uint32_t seen = 0;                 // this node knows the peer's table up to here
    std::uint16_t refused_before_mark = 0;  // the peer's subscriptions for which there was no room here
    std::uint16_t refused_since_mark = 0;
    NodeId node{};  // 0: the slot is free
    std::uint8_t attempts = 0;
    bool open : 1 = false;
    bool owes_ack : 1 = false;
};

}  // namespace dunlin::bus
