#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

// What a secure channel proved about the sender of a datagram; `none` where there is no such channel.
struct PeerIdentity {
    NodeId proven{};
};

enum class PathState : std::uint8_t {
    up,        // may be sent to
    down,      // gone for good; the PathId is not used again
    blocked,   // the transport has no room: poll_transmit passes it over, and nothing is lost
    writable,  // ends `blocked`
};

// The answer to a Dial, or news of a path that exists.
struct PathUpdate {
    PathState state = PathState::up;
    std::uint16_t dial = 0;  // Dial::id that this path answers; 0: none
};

// A path that the node wants opened. The transport answers with on_path(up, dial = id), or with down and the same id where
// it cannot (bad address); the node tries again with backoff.
struct Dial {
    std::uint16_t id = 0;                  // never 0
    std::span<const std::byte> address{};  // valid until the next call into the node
};

// A packet to send: the first `bytes` bytes of the buffer that was given to poll_transmit.
struct Transmit {
    PathId path{};
    std::size_t bytes = 0;
    bool size_probe = false;  // longer than the path is known to carry: whether it arrives must hang on its own length alone
};

}  // namespace dunlin
