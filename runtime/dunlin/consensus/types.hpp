#pragma once

#include <dunlin/consensus/entry.hpp>
#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::consensus {

// What a node is in its cluster. `member`: no voter, or a voter that has not started yet or has stopped.
enum class Role : std::uint8_t { member = 0, follower = 1, pre_candidate = 2, candidate = 3, leader = 4 };
// Lower-case name, as printed to people and in JSON.
[[nodiscard]] std::string_view to_string(Role role);

// A member of the committed voter set. A vote or an acknowledgement counts only from this storage.
struct Voter {
    NodeId node{};
    StorageId storage{};

    friend constexpr bool operator==(const Voter&, const Voter&) = default;
};

// Who sent a record, as its session established: the node and the storage that it runs on (0: none).
using Origin = Voter;

// An image that came from the leader, complete and with its checksum verified. `bytes` lie in the staging span and stay
// valid until image_installed().
struct ReceivedImage {
    ImagePoint point{};
    std::span<const std::byte> bytes{};
};

// One attempt of a linearizable read. Take a fresh one for every attempt: an answer to an older one says nothing.
struct ReadTicket {
    Term term{};
    LogIndex index{};         // what must be applied before the state may be read
    std::uint64_t round = 0;  // the first round whose acknowledgement confirms leadership after the read began
};
enum class ReadState : std::uint8_t {
    waiting,
    ready,   // the state as applied now may be read
    failed,  // leadership was lost: nothing may be answered; the client asks again
};

}  // namespace dunlin::consensus
