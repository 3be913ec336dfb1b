#pragma once

#include <link/endpoint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace dunlin::link {

inline constexpr SubscriptionId kSlow{7};
inline constexpr SubscriptionId kFast{8};

// One inbox, and the lanes of so many publishers that share it. Their messages are made by hand; the alias of a subscription is
// its number.
template <Limits L, std::size_t N>
struct SharedInbox : testing::Test {
    static constexpr std::size_t kPublishers = N;
    Instant now{seconds{1}};
    EndpointOf<L> end{NodeId{1}, 7};
    std::array<LinkArrays<L>, N> arrays{};
    std::deque<ReceivedAliases> aliases;
    std::vector<LaneReceiver> lanes;

    void SetUp() override {
        lanes.reserve(N);
        for (std::size_t i = 0; i < N; ++i) {
            ReceivedAliases& names = aliases.emplace_back(arrays[i].receiver_aliases);
            lanes.emplace_back(Lane::normal, SettlementStorage{arrays[i].lanes[0].settled_bits, arrays[i].lanes[0].notes}, names,
                               end.shared, PeerIndex{static_cast<std::uint16_t>(i)});
            lanes[i].session_opened(now, StreamId{9 + i}, Sequence{1});
            for (const SubscriptionId to : {kSlow, kFast}) {
                const std::string name = "t";
                const wire::AliasDeclare declare(to.value(), alias_of(to), 0);
                ASSERT_TRUE(lanes[i].on_alias(1, {wire::RecordType::alias_declare, bytes_of(declare), std::as_bytes(std::span(name))}));
            }
        }
    }
    static std::uint16_t alias_of(SubscriptionId to) { return static_cast<std::uint16_t>(to.value()); }
    // A run of one message, or of a piece of one.
    bool give(std::size_t publisher, std::uint64_t sequence, std::span<const std::byte> message) {
        const wire::Run run(sequence, 1, 0, 0, 1, 0);
        return lanes[publisher].on_run(now, 1, {wire::RecordType::run, bytes_of(run), message});
    }
};

}  // namespace dunlin::link
