#pragma once

#include <cstddef>
#include <cstdint>

namespace dunlin {

// What the cluster agreed on: sizes of the replicated tables. A constant of the cluster from its first log entry on;
// only these decide "full" in the ledger. The defaults fit a board.
struct LedgerLimits {
    std::uint16_t leases = 16;       // 1..1024
    std::uint16_t keys = 16;         // 1..1024
    std::uint16_t sessions = 16;     // 1..1024: ledger clients whose commands run exactly once
    std::uint16_t members = 8;       // 1..1024, of which kVotersMax are used: voters and learners
    std::uint16_t value_bytes = 32;  // 8..1024, a multiple of 8: longest value of a key

    friend constexpr bool operator==(const LedgerLimits&, const LedgerLimits&) = default;
};

inline constexpr std::size_t kLeaseNameBytesMax = 32;
inline constexpr std::size_t kKeyNameBytesMax = 32;
inline constexpr std::size_t kAddressBytesMax = 64;
inline constexpr std::size_t kClusterNameBytesMax = 32;
inline constexpr std::size_t kValueBytesMax = 1024;
inline constexpr std::size_t kVotersMax = 7;
inline constexpr std::size_t kUnsettledMax = 1024;

// What one node has room for. Every field is a compile-time size; NodeMemory<Limits> turns them into arrays.
struct Limits {
    std::uint16_t peers = 4;                  // 1..256: conversations at a time
    std::uint16_t topics = 16;                // 1..4096: names published, or received under a subscription
    std::uint16_t topic_bytes_max = 32;       // 8..256: longest topic or filter
    std::uint16_t local_subscriptions = 8;    // 1..1024
    std::uint16_t remote_subscriptions = 16;  // 1..4096: of all peers together
    std::uint16_t aliases_per_peer = 16;      // 1..1024: (topic, subscription) pairs in use towards or from a peer
    std::uint16_t payload_block_bytes = 64;   // 16..4096, a multiple of 4: unit of outbox and inbox memory
    std::uint32_t outbox_bytes = 4096;        // payloads not yet settled, in whole blocks: a longest message + 40, up to 65,534 blocks
    std::uint16_t outbox_messages = 32;       // 1..65,534: publishes whose outcomes were not all polled
    std::uint16_t deliveries = 64;            // 1..65,520: (publish, subscriber) pairs not yet polled
    std::uint8_t lanes = 1;                   // 1: normal alone; 2: and urgent; 3: and bulk
    std::uint16_t lane_window = 0;            // fragments of deliveries in one lane and not yet settled by its peer: those of a longest
                                              // message..65,520; 0: as many as deliveries
    std::uint32_t inbox_bytes = 2048;         // received, waiting behind a gap or held back; as outbox_bytes, but a longest message
                                              // that comes in fragments takes a bit more for each
    std::uint16_t inbox_messages = 32;        // 1..65,534
    std::uint32_t message_bytes_max = 1024;   // longest payload, 1..65,535; above link::kFragmentBytes it counts as several fragments
    std::uint16_t unsettled_max = 64;         // 64..1024, a multiple of 64: fragments of what a handler has, or had, and of what
                                              // came after it, not yet settled; at least those of a longest message
    std::uint16_t packets_in_flight_per_peer = 8;  // 8..1024, a power of two
    std::uint16_t leases_held = 4;                 // 0..64: leases that this node may hold at a time
    std::uint16_t requests = 4;                    // 1..64: ledger calls of this node under way
    std::uint16_t fences = 4;                      // 1..64: leases whose token floor this node keeps
    std::uint16_t explicit_keys = 32;              // 0..16,384: keys of applications that are remembered; 0: what has a key is rejected
    std::uint16_t events = 16;                     // 8..1024: events not yet polled (outcomes are kept elsewhere)
    std::uint32_t journal_buffer_bytes = 1024;     // 0 (no journal) or 512..1 MiB, a multiple of 8: appended, not yet written
    bool voter = false;                            // has consensus and a ledger replica
    std::uint16_t log_entries = 0;                 // voter: 16..4096 entries in the log ring
    std::uint32_t log_bytes = 0;                   // voter: payload bytes in the log ring; at least 512, and the longest entry
    std::uint16_t proposals = 0;                   // voter: 1..1024 ledger calls of clients under way at the leader
    LedgerLimits ledger{};                         // voter: what its tables can hold; must equal the cluster's
};

}  // namespace dunlin
