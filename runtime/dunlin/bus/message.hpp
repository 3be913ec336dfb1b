#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dunlin::bus {

// What a handler says about a message.
enum class Verdict : std::uint8_t {
    accept,       // done: the publisher hears `acknowledged`
    reject,       // never: the publisher hears `rejected`, and the message is not offered again
    invalid,      // as reject, because the payload is not what the topic carries; counted apart
    retry_later,  // offered again after a backoff; holds back this subscription alone
    pending,      // the application calls complete() later; holds back this subscription alone
};

// Names a message whose handler said `pending`. Valid until completed, expired, or the publisher's stream ends.
struct CompletionId {
    Sequence sequence{};
    SubscriptionId subscription{};
    NodeId publisher{};
    PeerIndex peer = kNoPeer;
    std::uint16_t stream_tag = 0;
    Lane lane = Lane::normal;
    friend constexpr bool operator==(const CompletionId&, const CompletionId&) = default;
};

// A message as its handler sees it. Topic and payload are valid during the call only.
struct Message {
    std::string_view topic{};
    std::span<const std::byte> payload{};
    CompletionId completion{};
    Lamport lamport{};  // of the publish; causality, not time
    Token token{};      // fencing token it was published under; 0: none
    NodeId publisher{};
    Lane lane = Lane::normal;     // that it came in: the publisher's choice, or normal where one of the two nodes has not that lane
    bool maybe_repeated = false;  // may have run before a crash of either side: look at your own stored effect
};

// Runs inside the node's on_*() calls. It may publish, subscribe, unsubscribe and complete other messages.
using Handler = Callback<Verdict(const Message&)>;

// A publish under a lease: subscribers that guard this lease admit it only if no higher token was seen.
struct PublishFence {
    std::string_view lease{};  // name, 1..32 bytes
    Token token{};             // not 0
};

struct PublishOptions {
    std::string_view topic{};              // 1..Limits::topic_bytes_max bytes, no wildcard
    std::span<const std::byte> payload{};  // 0..Limits::message_bytes_max bytes, copied
    Duration lifetime{};                   // after it the publish is a dead letter `expired`; 0: no limit
    Lane lane = Lane::normal;              // normal instead, where this node or the subscriber's was built without the one asked for
    std::optional<PublishFence> fence{};
    // Names the effect that this message is to have, for resends of the application's own: see IdempotencyKey below. Needs a
    // lifetime, at most Options::key_lifetime_max.
    std::optional<IdempotencyKey> key{};
    bool only_if_reachable = false;           // peer_unreachable where a subscriber has no session now; else the message waits for it
    std::optional<std::uint64_t> position{};  // the application's own position, durable together with the publish
};

struct Published {
    PublishId id{};                 // comes back in each Event::outcome
    std::uint16_t subscribers = 0;  // outcomes to come
    std::uint16_t reachable = 0;    // of these, so many have a session now; the message waits for the others
};

struct SubscribeOptions {
    std::uint32_t durable_id = 0;    // 1..2^31-1: outlives restarts under this id; 0: ends with this process
    std::string_view fence_lease{};  // admit only messages under this lease and at or above its floor; empty: any message
};

}  // namespace dunlin::bus
