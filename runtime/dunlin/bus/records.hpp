#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/record_kind.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::bus {

// What the bus keeps in the journal. Little-endian, fixed width, no padding; each is followed by the bytes that it names.

// Writes one live record at a checkpoint; busy: not now, ask again.
using EmitRecord = Callback<Status(journal::RecordKind, std::span<const std::byte> first, std::span<const std::byte> second)>;

// How far a checkpoint of the bus has come.
struct EmitCursor {
    PublishId publish{};  // the message that is being written, or the last one
    Sequence sequence{};  // of its last delivery written
    std::uint32_t index = 0;
    std::uint16_t slot = 0;
    std::uint16_t unresolved = 0;  // of that message when it was begun
    std::uint8_t stage = 0;
    bool in_message = false;
};

// RecordKind::fence_floor: the highest token admitted under a lease.
struct FenceFloorRecord {
    std::uint64_t lease;
    std::uint64_t token;
};
static_assert(sizeof(FenceFloorRecord) == 16);

// RecordKind::position. node/ appends `receive` in one batch with the watermarks that it belongs to.
enum class PositionSlot : std::uint64_t { publish = 0, receive = 1 };
struct PositionRecord {
    std::uint64_t slot;
    std::uint64_t value;
};
static_assert(sizeof(PositionRecord) == 16);
[[nodiscard]] constexpr PositionRecord position_record(PositionSlot slot, std::uint64_t value) {
    return {.slot = static_cast<std::uint64_t>(slot), .value = value};
}

// RecordKind::explicit_key: how the message ended that a durable subscription got under a key. It counts only together with the
// watermarks that follow it: a key without the effect that the application's position covers would lose that effect.
struct KeyRecord {
    std::uint64_t high;
    std::uint64_t low;
    std::int64_t remaining_us;  // of the key's life when it was written. It stands still while the node is down
    std::uint32_t subscription;
    std::uint16_t slot;  // in the table: what had it before had run out
    std::uint8_t rejected;
    std::uint8_t reserved;
};
static_assert(sizeof(KeyRecord) == 32);

// RecordKind::remote_subscription, then the filter: a peer's durable subscription is owed messages from here on.
struct RemoteSubscriptionRecord {
    std::uint32_t subscription;
    std::uint16_t node;
    std::uint16_t filter_bytes;
};
static_assert(sizeof(RemoteSubscriptionRecord) == 8);

// RecordKind::remote_subscription_removed.
struct RemoteSubscriptionRemovedRecord {
    std::uint32_t subscription;
    std::uint16_t node;
    std::uint16_t reserved;
};
static_assert(sizeof(RemoteSubscriptionRemovedRecord) == 8);

// RecordKind::outbox_put: an accepted publish: this head, the topic, a wire::KeyBlock where kPutKeyed says so, the payload. Its
// deliveries follow, in the same batch.
struct OutboxPutRecord {
    std::uint64_t publish;
    std::uint64_t lease;
    std::uint64_t token;
    std::uint64_t position;
    std::int64_t lifetime_us;  // that remained when it was written; 0: none. It stands still while the node is down
    std::uint32_t payload_bytes;
    std::uint16_t topic_bytes;
    std::uint16_t flags;  // OutboxPutFlag
};
static_assert(sizeof(OutboxPutRecord) == 48);
enum OutboxPutFlag : std::uint16_t { kPutFenced = 1, kPutPosition = 2, kPutKeyed = 4 };

// RecordKind::outbox_delivery: one subscriber of a publish. In a lane, records come in the order of sequences.
struct OutboxDeliveryRecord {
    std::uint64_t publish;
    std::uint64_t sequence;  // 0 where `outcome` is known
    std::uint32_t epoch;     // of the subscriber at publish; 0: the delivery has ended
    std::uint32_t subscription;
    std::uint16_t node;
    std::uint8_t outcome;  // known, and not yet told; none: to be sent
    std::uint8_t effect;
    std::uint32_t lane;  // by its number
};
static_assert(sizeof(OutboxDeliveryRecord) == 32);

// RecordKind::lane_next, at checkpoints: the numbers of a lane below this may have been used, also where the delivery that had
// one is not in the journal any more. Follows the deliveries.
struct LaneNextRecord {
    std::uint64_t next;
    std::uint16_t node;
    std::uint16_t lane;  // by its number
    std::uint32_t reserved;
};
static_assert(sizeof(LaneNextRecord) == 16);

// RecordKind::outbox_done: one or more of these: the outcome is known (and not yet told), or, outcome none, was told.
struct OutboxDoneRecord {
    std::uint64_t publish;
    std::uint32_t subscription;
    std::uint16_t node;
    std::uint8_t outcome;
    std::uint8_t effect;
};
static_assert(sizeof(OutboxDoneRecord) == 16);

}  // namespace dunlin::bus
