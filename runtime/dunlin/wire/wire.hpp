#pragma once

// The structs of wire.fbs, as flatc writes them at build time, and what the compiler can say about them. docs/wire.md
// explains each; tests/wire pins their bytes. Fields are read by name() and set by the constructor, in the order of wire.fbs.
#include <dunlin/wire/wire_generated.h>
#include <dunlin/core/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace dunlin::wire {

inline constexpr std::uint16_t kMagic = 0x4e44;  // "DN" on the wire
inline constexpr std::uint8_t kVersion = 1;      // the one that this build speaks
inline constexpr std::size_t kHeaderBytes = 40;
inline constexpr std::size_t kRecordHeadBytes = 4;
inline constexpr std::size_t kRecordAlignment = 4;        // records start at multiples of it, from the packet's start
inline constexpr std::size_t kPacketBytesMin = 576;       // what every path and every node can carry
inline constexpr std::size_t kPacketBytesDefault = 1200;  // largest packet until a path says otherwise
inline constexpr std::size_t kPacketBytesLimit = 65'532;  // what a packet may never exceed, whatever the path

// What may be copied to and from the wire.
template <class S>
concept WireStruct = FixedWidth<S> && std::is_class_v<S>;

// A fixed part's length travels in one byte, and structs grow by multiples of 8 bytes.
template <class S>
concept FixedPart = WireStruct<S> && sizeof(S) <= 255 && sizeof(S) % 8 == 0;

static_assert(sizeof(PacketHeader) == kHeaderBytes && WireStruct<PacketHeader>);
static_assert(sizeof(RecordHead) == kRecordHeadBytes && WireStruct<RecordHead>);

static_assert(sizeof(Hello) == 56 && FixedPart<Hello>);
static_assert(sizeof(LaneState) == 32 && FixedPart<LaneState>);
static_assert(sizeof(HelloRefused) == 16 && FixedPart<HelloRefused>);
static_assert(sizeof(Goodbye) == 8 && FixedPart<Goodbye>);
static_assert(sizeof(Ack) == 24 && FixedPart<Ack>);
static_assert(sizeof(AckRange) == 8 && WireStruct<AckRange>);
static_assert(sizeof(Ping) == 8 && FixedPart<Ping>);
static_assert(sizeof(Run) == 24 && FixedPart<Run>);
static_assert(sizeof(MessageHead) == 8 && WireStruct<MessageHead>);
static_assert(sizeof(FenceBlock) == 16 && WireStruct<FenceBlock>);
static_assert(sizeof(FragmentBlock) == 4 && WireStruct<FragmentBlock>);
static_assert(sizeof(Settlement) == 24 && FixedPart<Settlement>);
static_assert(sizeof(SettlementException) == 16 && WireStruct<SettlementException>);
static_assert(sizeof(Skip) == 16 && FixedPart<Skip>);
static_assert(sizeof(AliasDeclare) == 8 && FixedPart<AliasDeclare>);
static_assert(sizeof(Subscribe) == 16 && FixedPart<Subscribe>);
static_assert(sizeof(Unsubscribe) == 8 && FixedPart<Unsubscribe>);
static_assert(sizeof(SubscriptionsAcked) == 8 && FixedPart<SubscriptionsAcked>);
static_assert(sizeof(Heartbeat) == 16 && FixedPart<Heartbeat>);
static_assert(sizeof(VoteRequest) == 32 && FixedPart<VoteRequest>);
static_assert(sizeof(VoteReply) == 24 && FixedPart<VoteReply>);
static_assert(sizeof(Append) == 72 && FixedPart<Append>);
static_assert(sizeof(EntryHead) == 24 && WireStruct<EntryHead>);
static_assert(sizeof(AppendReply) == 48 && FixedPart<AppendReply>);
static_assert(sizeof(SnapshotChunk) == 56 && FixedPart<SnapshotChunk>);
static_assert(sizeof(SnapshotReply) == 32 && FixedPart<SnapshotReply>);
static_assert(sizeof(TimeoutNow) == 8 && FixedPart<TimeoutNow>);
static_assert(sizeof(Command) == 24 && FixedPart<Command>);
static_assert(sizeof(CommandReply) == 40 && FixedPart<CommandReply>);
static_assert(sizeof(Renew) == 24 && FixedPart<Renew>);
static_assert(sizeof(RenewReply) == 24 && FixedPart<RenewReply>);
static_assert(sizeof(Read) == 16 && FixedPart<Read>);
static_assert(sizeof(ReadReply) == 32 && FixedPart<ReadReply>);
static_assert(sizeof(VoterSet) == 16 && FixedPart<VoterSet>);
static_assert(sizeof(VoterEntry) == 80 && WireStruct<VoterEntry>);

}  // namespace dunlin::wire
