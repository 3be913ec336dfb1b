#pragma once

#include <dunlin/bus/bus_memory.hpp>
#include <dunlin/consensus/consensus_memory.hpp>
#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/journal/journal_memory.hpp>
#include <dunlin/ledger/ledger_memory.hpp>
#include <dunlin/link/link_memory.hpp>
#include <dunlin/node/journal_need.hpp>
#include <dunlin/node/node.hpp>
#include <dunlin/node/presets.hpp>
#include <dunlin/node/voter.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace dunlin {

// Whether these limits fit together; each wrong one stops the compiler with its sentence.
template <Limits L>
consteval bool valid_limits() {
    static_assert(L.peers >= 1 && L.peers <= 256, "peers must be 1..256");
    static_assert(L.topics >= 1 && L.topics <= 4096, "topics must be 1..4096");
    static_assert(L.topic_bytes_max >= 8 && L.topic_bytes_max <= 256, "topic_bytes_max must be 8..256");
    static_assert(L.local_subscriptions >= 1 && L.local_subscriptions <= 1024, "local_subscriptions must be 1..1024");
    static_assert(L.remote_subscriptions >= 1 && L.remote_subscriptions <= 4096, "remote_subscriptions must be 1..4096");
    static_assert(L.aliases_per_peer >= 1 && L.aliases_per_peer <= 1024, "aliases_per_peer must be 1..1024");
    static_assert(L.payload_block_bytes >= 16 && L.payload_block_bytes <= 4096 && L.payload_block_bytes % 4 == 0,
                  "payload_block_bytes must be a multiple of 4, 16..4096");
    static_assert(L.message_bytes_max >= 1 && L.message_bytes_max <= 65'535, "message_bytes_max must be 1..65535");
    static_assert(link::LinkSizes<L>::outbox_blocks * L.payload_block_bytes >= L.message_bytes_max + link::kBlocksBytesMax,
                  "outbox_bytes must hold at least one longest message, in whole blocks: its payload + 40");
    static_assert(L.outbox_bytes / L.payload_block_bytes <= 65'534, "outbox_bytes must be at most 65534 blocks of payload_block_bytes");
    static_assert(L.outbox_messages >= 1 && L.outbox_messages <= 65'534, "outbox_messages must be 1..65534");
    static_assert(L.deliveries >= 1 && L.deliveries <= 65'520, "deliveries must be 1..65520");
    static_assert(L.lanes >= 1 && L.lanes <= kLanesMax, "lanes must be 1..3");
    static_assert(L.lane_window <= 65'520, "lane_window must be 0..65520");
    static_assert(link::LinkSizes<L>::lane_window >= link::LinkSizes<L>::fragments_max,
                  "lane_window (or deliveries, where it is 0) must hold the fragments of a longest message, one for each 344 bytes");
    static_assert(link::LinkSizes<L>::inbox_blocks * L.payload_block_bytes >= link::inbox_bytes_max(L.message_bytes_max),
                  "inbox_bytes must hold at least one longest message, in whole blocks: its payload + 40, and a bit for each 344 bytes");
    static_assert(L.inbox_bytes / L.payload_block_bytes <= 65'534, "inbox_bytes must be at most 65534 blocks of payload_block_bytes");
    static_assert(L.inbox_messages >= 1 && L.inbox_messages <= 65'534, "inbox_messages must be 1..65534");
    static_assert(L.unsettled_max >= 64 && L.unsettled_max <= kUnsettledMax && L.unsettled_max % 64 == 0,
                  "unsettled_max must be a multiple of 64, 64..1024");
    static_assert(L.unsettled_max >= link::LinkSizes<L>::fragments_max,
                  "unsettled_max must be at least the fragments of a longest message, one for each 344 bytes");
    static_assert(L.packets_in_flight_per_peer >= 8 && L.packets_in_flight_per_peer <= 1024 &&
                      (L.packets_in_flight_per_peer & (L.packets_in_flight_per_peer - 1)) == 0,
                  "packets_in_flight_per_peer must be a power of two, 8..1024");
    static_assert(L.leases_held <= 64, "leases_held must be 0..64");
    static_assert(L.requests >= 1 && L.requests <= 64, "requests must be 1..64");
    static_assert(L.fences >= 1 && L.fences <= 64, "fences must be 1..64");
    static_assert(L.explicit_keys <= 16'384, "explicit_keys must be 0..16384");
    static_assert(L.events >= 8 && L.events <= 1024, "events must be 8..1024");
    static_assert(L.journal_buffer_bytes == 0 ||
                      (L.journal_buffer_bytes >= journal::kBufferBytesMin && L.journal_buffer_bytes <= journal::kBufferBytesMax),
                  "journal_buffer_bytes must be 0 (no journal) or 512 bytes to 1 MiB");
    static_assert(L.journal_buffer_bytes % journal::kRecordAlign == 0, "journal_buffer_bytes must be a multiple of 8");
    static_assert(
        L.journal_buffer_bytes == 0 || watermark_batch_bytes<L>() <= L.journal_buffer_bytes,
        "journal_buffer_bytes must hold the watermarks of all peers in all their lanes: 112 bytes for each (more where unsettled_max "
        "is above 64), and 48");
    static_assert(!L.voter || L.journal_buffer_bytes > 0, "a voter needs a journal: journal_buffer_bytes must be at least 512");
    static_assert(!L.voter || (L.log_entries >= 16 && L.log_entries <= 4096), "a voter needs 16..4096 log entries");
    static_assert(!L.voter || L.log_bytes >= 512, "a voter needs at least 512 bytes for the payloads of its log");
    static_assert(!L.voter || L.log_bytes >= ledger::longest_entry(L.ledger),
                  "log_bytes must hold the longest entry: the bootstrap with every voter, or a put of the longest value");
    static_assert(!L.voter || L.journal_buffer_bytes >= journal::record_bytes(static_cast<std::uint32_t>(sizeof(consensus::LogEntryRecord) +
                                                                                                         ledger::longest_entry(L.ledger))),
                  "journal_buffer_bytes must hold a record of the longest entry");
    static_assert(!L.voter || (L.proposals >= 1 && L.proposals <= 1024), "a voter needs room for 1..1024 proposals");
    static_assert(ledger::valid(L.ledger),
                  "ledger must have 1..1024 leases, keys, sessions and members, and values of 8..1024 bytes, a "
                  "multiple of 8");
    return true;
}

// The least Options::packet_bytes_max of a node with these limits: a voter's packets carry every entry that any leader
// may accept, or a leader would send it for ever in vain. (A longer put is refused as too_large.)
template <Limits L>
constexpr std::uint16_t packet_bytes_min() {
    if (!L.voter) return wire::kPacketBytesMin;
    const std::size_t entry = std::min<std::size_t>(ledger::longest_entry(L.ledger), consensus::ConsensusOptions{}.entry_bytes_max);
    return static_cast<std::uint16_t>(std::max(wire::kPacketBytesMin, consensus::kEntryPacketBytes + padded_to<8>(entry)));
}

// Every byte of a node, itself included: put it in static storage, and sizeof says the whole bill. The node is made in
// place by emplace(); nothing is freed, so a node may simply be made anew (a restart in a simulation).
template <Limits L>
class NodeMemory {
    static_assert(valid_limits<L>());

  public:
    NodeMemory() = default;
    NodeMemory(const NodeMemory&) = delete;
    NodeMemory& operator=(const NodeMemory&) = delete;

    // A new node in this memory; one made before is gone. O(sizeof). Then Node::start().
    Node& emplace(const Options& options) {
        static_assert(std::is_trivially_destructible_v<Node> && std::is_trivially_destructible_v<Voter>);
        arrays_.~Arrays();
        new (&arrays_) Arrays;  // not Arrays(), which would write over all of it first
        return *new (&node_) Node(storage(), options);
    }

  private:
    struct NoVoter {};
    struct VoterArrays {
        consensus::ConsensusArrays<L, ledger::image_bytes(L.ledger)> consensus{};
        ledger::ReplicaArrays<L> ledger{};
        alignas(Voter) std::array<std::byte, sizeof(Voter)> voter;
    };
    struct Arrays {
        std::array<PeerSlot, L.peers> peers{};
        std::array<link::LinkArrays<L>, L.peers> link;
        alignas(link::Link) std::array<std::byte, sizeof(link::Link) * L.peers> links;
        link::BoxArrays<L> boxes;
        std::array<membership::Watched, L.peers> watched{};
        ledger::ClientArrays<L> client{};
        bus::BusArrays<L> bus{};
        journal::JournalArrays<L> journal{};
        std::array<Event, L.events> events{};
        [[no_unique_address]] std::conditional_t<L.voter, VoterArrays, NoVoter> voter{};
    };

    std::span<link::Link> make_links(const link::LinkShared& shared) {
        for (std::size_t i = 0; i < L.peers; ++i) {
            new (&arrays_.links[i * sizeof(link::Link)])
                link::Link(arrays_.link[i].storage(), shared, PeerIndex{static_cast<std::uint16_t>(i)});
        }
        return {std::launder(reinterpret_cast<link::Link*>(arrays_.links.data())), L.peers};
    }

    NodeStorage storage() {
        NodeStorage storage;
        storage.peers = arrays_.peers;
        storage.make_links = {
            [](void* memory, const link::LinkShared& shared) { return static_cast<NodeMemory*>(memory)->make_links(shared); }, this};
        storage.outbox = arrays_.boxes.outbox_storage();
        storage.inbox = arrays_.boxes.inbox_storage();
        storage.watched = arrays_.watched;
        storage.client = arrays_.client.client();
        storage.leases = arrays_.client.leases;
        storage.bus = arrays_.bus.storage();
        storage.bus.scratch = arrays_.boxes.scratch;
        storage.journal = arrays_.journal.storage();
        if constexpr (L.journal_buffer_bytes > 0) storage.journal_need = journal_need<L>();
        storage.events = arrays_.events;
        storage.message_bytes_max = L.message_bytes_max;
        storage.packet_bytes_min = packet_bytes_min<L>();
        if constexpr (L.voter) {
            storage.make_coordinator = {[](void* memory, const VoterParts& parts) -> Coordinator* {
                                            auto& voter = static_cast<NodeMemory*>(memory)->arrays_.voter;
                                            return new (&voter.voter) Voter(
                                                {voter.consensus.storage(), voter.ledger.ledger(), voter.ledger.service()}, parts.options,
                                                parts.clock_rate_bound_ppm, parts.journal, parts.counters, parts.random, parts.events);
                                        },
                                        this};
        }
        return storage;
    }

    Arrays arrays_;
    alignas(Node) std::array<std::byte, sizeof(Node)> node_;
};

// The bill of the presets: 16, 24 and 96 KiB on a Cortex-M, where pointers have 4 bytes, and 16 MiB anywhere.
static_assert(sizeof(void*) != 4 || sizeof(NodeMemory<limits::micro>) <= 16 * 1024);
static_assert(sizeof(void*) != 4 || sizeof(NodeMemory<limits::voter_min>) <= 24 * 1024);
static_assert(sizeof(void*) != 4 || sizeof(NodeMemory<limits::small>) <= 96 * 1024);
static_assert(sizeof(void*) != 8 || sizeof(NodeMemory<limits::micro>) <= 20 * 1024);
static_assert(sizeof(void*) != 8 || sizeof(NodeMemory<limits::voter_min>) <= 29 * 1024);
static_assert(sizeof(void*) != 8 || sizeof(NodeMemory<limits::small>) <= 104 * 1024);
static_assert(sizeof(NodeMemory<limits::gateway>) <= 16 * 1024 * 1024);

}  // namespace dunlin
