#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/link/fragments.hpp>
#include <dunlin/link/message_blocks.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/record.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::sim {

// Calls `see(record)` for each record of a packet as a node has written it, or the network may have changed it: what is not
// well formed ends it. The checksum is not looked at.
template <class See>
void for_each_record(std::span<const std::byte> packet, const See& see) {
    if (packet.size() < wire::kHeaderBytes) return;
    for (std::span<const std::byte> rest = packet.subspan(wire::kHeaderBytes); rest.size() >= wire::kRecordHeadBytes;) {
        const auto type = static_cast<wire::RecordType>(rest[2]);
        const std::size_t length = std::to_integer<std::size_t>(rest[0]) | std::to_integer<std::size_t>(rest[1]) << 8U;
        const std::size_t fixed = std::to_integer<std::size_t>(rest[3]);
        if (length < wire::kRecordHeadBytes + fixed || padded_to<wire::kRecordAlignment>(length) > rest.size()) return;
        const std::span<const std::byte> content = rest.first(length).subspan(wire::kRecordHeadBytes);
        see(wire::Record{type, content.first(fixed), content.subspan(fixed)});
        rest = rest.subspan(padded_to<wire::kRecordAlignment>(length));
    }
}

// A packet that its receiver believes, with a settlement.
[[nodiscard]] inline bool settles(std::span<const std::byte> packet) {
    bool any = false;
    for_each_record(packet, [&any](const wire::Record& record) { any = any || record.type == wire::RecordType::settlement; });
    Counters counters;
    return any && wire::PacketReader::open(packet, counters).has_value();
}

// A message of a run, or a piece of one.
struct SentMessage {
    std::uint64_t sequence = 0;  // of the message: its first
    std::uint64_t place = 0;     // of the first of its fragments here
    wire::MessageHead head{};
    std::span<const std::byte> body{};  // of the blocks and the payload, what is here
};

// Calls `see(message)` for each message of a run, or piece of one, as far as it is well formed.
template <class See>
void for_each_message(const wire::Record& record, const See& see) {
    const auto run = record.as<wire::Run>();
    std::span<const std::byte> rest = record.bytes;
    SentMessage sent{.place = run.first_sequence()};
    for (std::uint64_t i = 0; i < run.count() && take(rest, sent.head); ++i) {
        const auto has = [&sent](wire::MessageFlag flag) { return (sent.head.flags() & static_cast<std::uint8_t>(flag)) != 0; };
        wire::FragmentBlock fragment{};
        const bool piece = has(wire::MessageFlag::fragment);
        if (piece && !take(rest, fragment)) return;
        const std::size_t blocks = link::blocks_bytes(has(wire::MessageFlag::fence), has(wire::MessageFlag::explicit_key));
        const std::size_t length = sent.head.length() + (piece ? 0 : blocks);
        if (rest.size() < padded_to<4>(length)) return;
        sent.sequence = sent.place - fragment.index();
        sent.body = rest.first(length);
        see(sent);
        sent.place += link::fragments_of(length);
        rest = rest.subspan(padded_to<4>(length));
    }
}

// A set of record types, as bits.
using RecordTypes = std::uint64_t;
[[nodiscard]] constexpr RecordTypes bit(wire::RecordType type) { return RecordTypes{1} << (static_cast<unsigned>(type) & 63U); }
[[nodiscard]] inline RecordTypes types_of(std::span<const std::byte> packet) {
    RecordTypes types = 0;
    for_each_record(packet, [&](const wire::Record& record) { types |= bit(record.type); });
    return types;
}

[[nodiscard]] constexpr bool of_consensus(wire::RecordType type) {
    return type >= wire::RecordType::vote_request && type <= wire::RecordType::timeout_now;
}

inline constexpr RecordTypes kConsensus = bit(wire::RecordType::vote_request) | bit(wire::RecordType::vote_reply) |
                                          bit(wire::RecordType::append) | bit(wire::RecordType::append_reply) |
                                          bit(wire::RecordType::snapshot_chunk) | bit(wire::RecordType::snapshot_reply) |
                                          bit(wire::RecordType::timeout_now);
inline constexpr RecordTypes kAdverts = bit(wire::RecordType::subscribe) | bit(wire::RecordType::unsubscribe);
inline constexpr RecordTypes kReads = bit(wire::RecordType::read) | bit(wire::RecordType::read_reply);

// A vote's flags.
[[nodiscard]] constexpr bool has(std::uint32_t flags, wire::VoteFlag flag) { return (flags & static_cast<std::uint32_t>(flag)) != 0; }

// The sender's own term, which every record of consensus tells: all begin with a term, and only a pre-vote asks for the next.
[[nodiscard]] inline Term term_told(const wire::Record& record) {
    const Term term{wire::load<wire::TimeoutNow>(record.fixed).term()};
    if (record.type != wire::RecordType::vote_request) return term;
    return has(record.as<wire::VoteRequest>().flags(), wire::VoteFlag::pre_vote) ? term.previous() : term;
}

}  // namespace dunlin::sim
