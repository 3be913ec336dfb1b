#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/wire/wire.hpp>

#include <cstdint>

namespace dunlin::consensus {

// Raft's settings. Voters should agree on the times: a leader with a slower heartbeat than others' election timeout
// is deposed again and again (safely).
struct ConsensusOptions {
    NodeId self{};
    std::uint16_t entry_bytes_max = 1024;    // longest payload of an entry; see longest_entry()
    std::uint8_t appends_in_flight_max = 8;  // 1..255: appends with entries, or image chunks, not answered, per voter
    // Who should lead: 0 first (mains-powered, wired), kElectionRankMax last. Each rank waits longer before it campaigns, by half of the
    // timeouts' spread; and a leader hands over to a voter of a lower rank that has kept up with it for kRankPatience. A preference: any
    // voter leads where no better one can.
    std::uint8_t election_rank = 0;
    std::uint8_t feature_level = 1;                     // the newest rules and layouts that this build knows: 1..kFeatureLevelMax
    Duration heartbeat_interval = milliseconds{100};    // 5 ms..1 s
    Duration election_timeout_min = milliseconds{500};  // >= 3 heartbeats; also how long a heard leader is trusted
    // > min; a leader that heard no majority for so long steps down, and one whose disk needs so long for one operation hands over.
    // A candidate's term and vote must be durable before that: give it three times what a sync takes at worst.
    Duration election_timeout_max = milliseconds{1000};
};

inline constexpr std::uint8_t kElectionRankMax = 3;
inline constexpr std::uint8_t kFeatureLevelMax = 15;
// A node that comes and goes shall not move leadership more often than this.
inline constexpr Duration kRankPatience = seconds{10};

// What stands around an entry in an append, when it is alone in its record, and in its packet.
inline constexpr std::size_t kEntryRecordBytes = wire::kRecordHeadBytes + sizeof(wire::Append) + sizeof(wire::EntryHead);
inline constexpr std::size_t kEntryPacketBytes = wire::kHeaderBytes + kEntryRecordBytes;

// The longest payload that a packet carries: its padding counts too.
[[nodiscard]] constexpr std::size_t longest_entry(std::size_t packet_bytes) { return (packet_bytes - kEntryPacketBytes) / 8 * 8; }

}  // namespace dunlin::consensus
