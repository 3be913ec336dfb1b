#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/link/message_blocks.hpp>
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

// Calls `see(sequence, head, payload)` for each message of a run, as far as it is well formed; the payload without what stands before it.
template <class See>
void for_each_message(const wire::Record& record, const See& see) {
    const auto run = record.as<wire::Run>();
    std::span<const std::byte> rest = record.bytes;
    for (std::uint64_t i = 0; i < run.count() && rest.size() >= sizeof(wire::MessageHead); ++i) {
        const auto head = wire::load<wire::MessageHead>(rest);
        rest = rest.subspan(sizeof(wire::MessageHead));
        const auto has = [&head](wire::MessageFlag flag) { return (head.flags() & static_cast<std::uint8_t>(flag)) != 0; };
        const std::size_t before = link::blocks_bytes(has(wire::MessageFlag::fence), has(wire::MessageFlag::explicit_key));
        if (rest.size() < padded_to<4>(before + head.length())) return;
        see(run.first_sequence() + i, head, rest.subspan(before, head.length()));
        rest = rest.subspan(padded_to<4>(before + head.length()));
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
