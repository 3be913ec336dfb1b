#pragma once

#include <cstdint>

namespace dunlin::journal {

// What a record is. Numbers are on disk: never reused, only added. The payload of each kind is a fixed-width
// little-endian struct (and bytes after it) that belongs to the module named here.
enum class RecordKind : std::uint8_t {
    none = 0,
    format = 1,       // journal: FormatInfo, the first record of every bank
    bind = 2,         // node: the cluster incarnation this journal belongs to
    epoch = 3,        // node: the boot epoch
    hard_state = 4,   // consensus: term and vote
    log_entry = 5,    // consensus: an entry (one at an index already there truncates)
    image_chunk = 6,  // node: a piece of the ledger's image
    watermark = 7,    // link: what was settled of a stream
    // 8 is not used
    fence_floor = 9,           // bus: lowest token still believed
    position = 10,             // bus: the application's own position, stored with the watermark
    outbox_put = 11,           // bus: an accepted publish
    outbox_done = 12,          // bus: a delivery that has its outcome
    remote_subscription = 13,  // bus: a peer's durable subscription
    remote_subscription_removed = 14,
    outbox_delivery = 15,  // bus: to whom a publish goes, in the batch of its outbox_put
    lane_next = 16,        // bus: where the numbering of a lane goes on
    watermark_void = 17,   // node: what was settled of a publisher's stream is forgotten
    explicit_key = 18,     // bus: a key whose effect is settled; counts once a watermark or a received position follows
};

}  // namespace dunlin::journal
