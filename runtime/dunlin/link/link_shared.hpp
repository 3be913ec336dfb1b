#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/sent_packet.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace dunlin::link {

// A hello that is refused. The answer tells the epoch known here, whether that claimant was heard lately, and when.
struct OwedRefusal {
    SessionNonce refused{};  // 0: none is owed
    PathId path{};
    BootEpoch epoch_known{};
    NodeId to{};
    std::uint16_t silence_ms = 0;
    std::uint8_t reason = 0;  // wire::RefuseReason
    bool live = false;
};

// The packet that one of the links is writing, from Link::begin_packet() to Link::finish_packet().
struct PacketDraft {
    SentPacket sent{};
    std::optional<Lane> lane{};  // whose messages and skips it may carry
    bool lane_used = false;      // it carries some
    bool eliciting = false;
    bool goodbye = false;
};

// Who this process is, to all its links. node/ owns it and keeps it up to date; links read it (and count `lamport`).
struct LinkSelf {
    InstanceId instance{};               // random, nonzero, of this process
    StorageId storage{};                 // 0: no journal
    ClusterIncarnation cluster{};        // 0: not bound yet. After a change: Link::restart() on every link
    StreamId stream{};                   // of this node's journal: its numbering survives restarts; 0: each link mints its own
    Lamport lamport{};                   // counts runs sent and received
    JournalSequence durable{};           // journal.durable(), renewed before the links are asked for packets; 0 without a journal
    Sequence numbered{};                 // written by links: sequences of a durable stream given out in this epoch, at most
    JournalSequence epoch_gate{};        // no hello leaves before `durable` reaches it
    std::string_view cluster_name{};     // 1..32 bytes, outlives the links
    Duration idle_timeout = seconds{3};  // nothing heard for this long: the session is closed
    PacketDraft draft{};                 // written by links: one packet is written at a time
    BootEpoch epoch{};                   // >= 1. After a change: Link::restart() on every link
    PacketNumber reading{};              // written by links: the packet being read, one at a time
    OwedRefusal refusal{};               // written by links: refusals are owed one at a time; who gets none says hello again
    NodeId id{};
    std::uint16_t packet_bytes_max = 1200;
    std::uint8_t attempts_max = 250;  // 1..255: how often a handler that says retry_later gets a message, until it is a dead letter
    bool voter = false;
    bool journalled = false;  // settlements wait for the watermark's record
};

class Outbox;
class Inbox;
struct InboundSink;

// What every link of a node shares. All of it outlives the links.
struct LinkShared {
    LinkSelf& self;
    Outbox& outbox;
    Inbox& inbox;
    Counters& counters;
    Random& random;
    EventQueue& events;
    const InboundSink& sink;
};

}  // namespace dunlin::link
