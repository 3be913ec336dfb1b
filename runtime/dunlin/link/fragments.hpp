#pragma once

#include <dunlin/link/message_blocks.hpp>
#include <dunlin/wire/wire.hpp>

#include <cstddef>
#include <cstdint>

// How messages are cut. The body of a message, as it lies in outbox and inbox, is its optional blocks and its payload. It is
// made of fragments of kFragmentBytes (the last may be shorter), each of which takes a sequence of its lane, so that a message
// has consecutive ones. How many follows from its length alone: sequences are given out, and kept in a journal, before anybody
// knows how large the packets of a session will be. The first sequence names the message and bears its outcome.
namespace dunlin::link {

// One fits a packet of the smallest size, three fill a default packet (1200 bytes) to 93 %, and four one of Ethernet (1472).
inline constexpr std::size_t kFragmentBytes = 344;
// Records of skips and sent packets count so many sequences at most, and do not divide a message.
inline constexpr std::size_t kFragmentsMax = 255;

// Of a body; 1 where it is empty.
[[nodiscard]] constexpr std::uint32_t fragments_of(std::size_t body_bytes) {
    if (body_bytes <= kFragmentBytes) return 1;
    return static_cast<std::uint32_t>((body_bytes + kFragmentBytes - 1) / kFragmentBytes);
}

static_assert(wire::kHeaderBytes + wire::kRecordHeadBytes + sizeof(wire::Run) + sizeof(wire::MessageHead) + sizeof(wire::FragmentBlock) +
                  kFragmentBytes <=
              wire::kPacketBytesMin);
static_assert(kFragmentBytes % 4 == 0, "fragments that follow each other in a packet need no padding");
static_assert(fragments_of(0xffff + kBlocksBytesMax) <= kFragmentsMax);

}  // namespace dunlin::link
