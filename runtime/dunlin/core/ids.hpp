#pragma once

#include <dunlin/core/strong.hpp>

#include <cstdint>

namespace dunlin {

// Who and where. Zero means "none" or "not known yet" for each of these.
using NodeId = Strong<struct NodeIdTag, std::uint16_t>;               // unique in a cluster, given by configuration
using ClusterIncarnation = Strong<struct ClusterTag, std::uint64_t>;  // random, minted by init; 0: not bound to a cluster yet
using StorageId = Strong<struct StorageTag, std::uint64_t>;           // random, minted when a journal is formatted
using StreamId = Strong<struct StreamTag, std::uint64_t>;             // names one publisher's numbering
using InstanceId = Strong<struct InstanceTag, std::uint64_t>;         // random, minted at each start of a process
using BootEpoch = Strong<struct EpochTag, std::uint32_t>;             // grows by one at every start of a node
using PathId = Strong<struct PathTag, std::uint32_t>;                 // a UDP address pair, issued by a transport
using PeerIndex = Strong<struct PeerTag, std::uint16_t>;              // a slot in this node's peer table
inline constexpr PeerIndex kNoPeer{0xffff};

// Link.
using SessionNonce = Strong<struct NonceTag, std::uint64_t>;         // fresh per session attempt
using PacketNumber = Strong<struct PacketNumberTag, std::uint64_t>;  // first is 1, never reused in a session
using Sequence = Strong<struct SequenceTag, std::uint64_t>;          // of a message in a lane; first is 1
using Lamport = Strong<struct LamportTag, std::uint64_t>;

// Consensus and ledger.
using Term = Strong<struct TermTag, std::uint64_t>;
using LogIndex = Strong<struct LogIndexTag, std::uint64_t>;        // first entry is 1
using Token = Strong<struct TokenTag, std::uint64_t>;              // fencing token: the log index of the grant
using ClusterTime = Strong<struct ClusterTimeTag, std::uint64_t>;  // microseconds of the cluster's own time
using LeaseKey = Strong<struct LeaseKeyTag, std::uint64_t>;        // 64-bit hash of a lease's name (see lease_key())
using SessionId = Strong<struct LedgerSessionTag, std::uint64_t>;  // a ledger client's session
using RequestId = Strong<struct RequestTag, std::uint32_t>;        // of a call into this node

// Bus.
using TopicIndex = Strong<struct TopicTag, std::uint16_t>;  // a slot in this node's topic table
inline constexpr TopicIndex kNoTopic{0xffff};
using SubscriptionId = Strong<struct SubscriptionTag, std::uint32_t>;  // of a subscriber node's subscription
// One that outlives its subscriber's epoch has the highest bit of its id set, above the number that its application gave it.
inline constexpr std::uint32_t kDurableIdMax = 0x7fff'ffff;
[[nodiscard]] constexpr bool is_durable(SubscriptionId subscription) { return subscription.value() > kDurableIdMax; }
[[nodiscard]] constexpr SubscriptionId durable_subscription(std::uint32_t durable_id) {
    return SubscriptionId{(kDurableIdMax + 1) | durable_id};
}
using PublishId = Strong<struct PublishTag, std::uint64_t>;  // of an accepted publish, unique in this process
// An application's own name for one effect: 128 bits that no other effect has (random, or a hash). 0 is none.
struct IdempotencyKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend constexpr bool operator==(const IdempotencyKey&, const IdempotencyKey&) = default;
};

// Journal: position in the order of appends. A promise may leave once `sequence <= journal.durable()`.
using JournalSequence = Strong<struct JournalTag, std::uint64_t>;

}  // namespace dunlin
