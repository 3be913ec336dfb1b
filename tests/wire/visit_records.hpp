#pragma once

#include <dunlin/wire/packet_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

// Looks at every byte of a record as its type's struct, so that a sanitizer sees each access that a reader could make.
namespace dunlin::test {

inline std::uint64_t sum_of(std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
    return sum;
}

template <wire::FixedPart S>
std::uint64_t fixed_sum(const wire::Record& record) {
    const S value = record.as<S>();
    return sum_of(bytes_of(value));
}

inline std::uint64_t visit(const wire::Record& record) {
    using enum wire::RecordType;
    switch (record.type) {
        case none: return 0;
        case hello: return fixed_sum<wire::Hello>(record);
        case hello_refused: return fixed_sum<wire::HelloRefused>(record);
        case lane_state: return fixed_sum<wire::LaneState>(record);
        case goodbye: return fixed_sum<wire::Goodbye>(record);
        case ack: return fixed_sum<wire::Ack>(record);
        case ping: return fixed_sum<wire::Ping>(record);
        case run: return fixed_sum<wire::Run>(record);
        case settlement: return fixed_sum<wire::Settlement>(record);
        case skip: return fixed_sum<wire::Skip>(record);
        case alias_declare: return fixed_sum<wire::AliasDeclare>(record);
        case subscribe: return fixed_sum<wire::Subscribe>(record);
        case unsubscribe: return fixed_sum<wire::Unsubscribe>(record);
        case subscriptions_acked: return fixed_sum<wire::SubscriptionsAcked>(record);
        case heartbeat: return fixed_sum<wire::Heartbeat>(record);
        case vote_request: return fixed_sum<wire::VoteRequest>(record);
        case vote_reply: return fixed_sum<wire::VoteReply>(record);
        case append: return fixed_sum<wire::Append>(record);
        case append_reply: return fixed_sum<wire::AppendReply>(record);
        case snapshot_chunk: return fixed_sum<wire::SnapshotChunk>(record);
        case snapshot_reply: return fixed_sum<wire::SnapshotReply>(record);
        case timeout_now: return fixed_sum<wire::TimeoutNow>(record);
        case command: return fixed_sum<wire::Command>(record);
        case command_reply: return fixed_sum<wire::CommandReply>(record);
        case renew: return fixed_sum<wire::Renew>(record);
        case renew_reply: return fixed_sum<wire::RenewReply>(record);
        case read: return fixed_sum<wire::Read>(record);
        case read_reply: return fixed_sum<wire::ReadReply>(record);
        case voter_set: return fixed_sum<wire::VoterSet>(record);
    }
    return 0;
}

}  // namespace dunlin::test
