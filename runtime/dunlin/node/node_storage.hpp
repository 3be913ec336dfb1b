#pragma once

#include <dunlin/bus/bus.hpp>
#include <dunlin/consensus/options.hpp>
#include <dunlin/core/callback.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/journal/journal.hpp>
#include <dunlin/ledger/client.hpp>
#include <dunlin/ledger/lease_holder.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/link/link.hpp>
#include <dunlin/link/outbox.hpp>
#include <dunlin/membership/failure_detector.hpp>
#include <dunlin/node/coordinator.hpp>
#include <dunlin/node/peer_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

// What a voter shares with the node that it is part of.
struct VoterParts {
    const consensus::ConsensusOptions& options;
    std::uint32_t clock_rate_bound_ppm;
    journal::Journal& journal;
    Counters& counters;
    Random& random;
    EventQueue& events;
};

// What a node needs of its journal (journal_need.hpp).
struct JournalNeed {
    std::uint32_t bank_bytes = 0;  // of a file
    std::uint32_t records = 0;     // in them: on flash each is padded

    // Of a device with two banks of these. On flash they are whole erase blocks.
    [[nodiscard]] constexpr std::uint64_t device_bytes(journal::Geometry geometry) const {
        const std::uint32_t unit = geometry.flash() ? geometry.erase_bytes : journal::kHeaderSectorBytes;
        const std::uint32_t padding = geometry.flash() ? geometry.program_bytes - journal::kRecordAlign : 0;
        return std::uint64_t{(bank_bytes + records * padding + unit - 1) / unit * unit} * 2;
    }
};

// Every byte of a node, as spans; NodeMemory<Limits> owns them.
struct NodeStorage {
    std::span<PeerSlot> peers{};
    Callback<std::span<link::Link>(const link::LinkShared&)> make_links{};  // in their place, one a peer; called once
    link::OutboxStorage outbox{};
    link::InboxStorage inbox{};
    std::span<membership::Watched> watched{};
    ledger::ClientStorage client{};
    std::span<ledger::HeldLease> leases{};
    bus::BusStorage bus{};
    journal::JournalStorage journal{};
    JournalNeed journal_need{};  // a smaller device could fill up for good
    std::span<Event> events{};
    std::size_t message_bytes_max = 0;
    std::uint16_t packet_bytes_min = wire::kPacketBytesMin;        // least Options::packet_bytes_max
    Callback<Coordinator*(const VoterParts&)> make_coordinator{};  // none: this node does not vote
};

}  // namespace dunlin
