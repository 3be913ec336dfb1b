// must not compile: peers must be 1..256
// must not compile: topics must be 1..4096
// must not compile: topic_bytes_max must be 8..256
// must not compile: local_subscriptions must be 1..1024
// must not compile: remote_subscriptions must be 1..4096
// must not compile: aliases_per_peer must be 1..1024
// must not compile: payload_block_bytes must be a multiple of 4, 16..4096
// must not compile: message_bytes_max must be 1..65535
// must not compile: outbox_bytes must hold at least one longest message, in whole blocks
// must not compile: outbox_bytes must be at most 65534 blocks of payload_block_bytes
// must not compile: outbox_messages must be 1..65534
// must not compile: deliveries must be 1..65520
// must not compile: lane_window must be 0..65520
// must not compile: lane_window (or deliveries, where it is 0) must hold the fragments of a longest message
// must not compile: unsettled_max must be at least the fragments of a longest message
// must not compile: inbox_bytes must hold at least one longest message
// must not compile: inbox_bytes must be at most 65534 blocks of payload_block_bytes
// must not compile: inbox_messages must be 1..65534
// must not compile: unsettled_max must be a multiple of 64, 64..1024
// must not compile: packets_in_flight_per_peer must be a power of two, 8..1024
// must not compile: leases_held must be 0..64
// must not compile: requests must be 1..64
// must not compile: fences must be 1..64
// must not compile: events must be 8..1024
// must not compile: a voter needs a journal: journal_buffer_bytes must be at least 512
// must not compile: journal_buffer_bytes must be 0 (no journal) or 512 bytes to 1 MiB
// must not compile: journal_buffer_bytes must be a multiple of 8
// must not compile: journal_buffer_bytes must hold the watermarks of all peers in all their lanes: 112 bytes for each
// must not compile: a voter needs 16..4096 log entries
// must not compile: a voter needs at least 512 bytes for the payloads of its log
// must not compile: log_bytes must hold the longest entry: the bootstrap with every voter, or a put of the longest value
// must not compile: journal_buffer_bytes must hold a record of the longest entry
// must not compile: a voter needs room for 1..1024 proposals
#include <dunlin/node/node_memory.hpp>

using dunlin::Limits;
using dunlin::valid_limits;

static_assert(valid_limits<dunlin::limits::micro>());
static_assert(valid_limits<Limits{.outbox_bytes = 1088}>());
static_assert(valid_limits<Limits{.peers = 4, .lanes = 2, .journal_buffer_bytes = 944}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 640, .voter = true, .log_entries = 16, .log_bytes = 564, .proposals = 1}>());

#ifdef MUST_NOT_COMPILE
static_assert(valid_limits<Limits{.peers = 0}>());
static_assert(valid_limits<Limits{.topics = 5000}>());
static_assert(valid_limits<Limits{.topic_bytes_max = 7}>());
static_assert(valid_limits<Limits{.local_subscriptions = 0}>());
static_assert(valid_limits<Limits{.remote_subscriptions = 0}>());
static_assert(valid_limits<Limits{.aliases_per_peer = 0}>());
static_assert(valid_limits<Limits{.payload_block_bytes = 18}>());
static_assert(valid_limits<Limits{.message_bytes_max = 70'000}>());
static_assert(valid_limits<Limits{.outbox_bytes = 1087}>());  // 1064 are needed, and 1087 are 16 whole blocks
static_assert(valid_limits<Limits{.payload_block_bytes = 16, .outbox_bytes = 2 << 20}>());
static_assert(valid_limits<Limits{.outbox_messages = 0}>());
static_assert(valid_limits<Limits{.deliveries = 65521}>());
static_assert(valid_limits<Limits{.deliveries = 8, .lane_window = 65521}>());
static_assert(valid_limits<Limits{.outbox_bytes = 8192, .deliveries = 11, .inbox_bytes = 8192, .message_bytes_max = 4096}>());
static_assert(
    valid_limits<Limits{.outbox_bytes = 32768, .deliveries = 80, .inbox_bytes = 32768, .message_bytes_max = 24000, .unsettled_max = 64}>());
static_assert(valid_limits<Limits{.inbox_bytes = 512}>());
static_assert(valid_limits<Limits{.payload_block_bytes = 16, .inbox_bytes = 2 << 20}>());
static_assert(valid_limits<Limits{.inbox_messages = 0}>());
static_assert(valid_limits<Limits{.unsettled_max = 65}>());
static_assert(valid_limits<Limits{.packets_in_flight_per_peer = 12}>());
static_assert(valid_limits<Limits{.leases_held = 65}>());
static_assert(valid_limits<Limits{.requests = 65}>());
static_assert(valid_limits<Limits{.fences = 0}>());
static_assert(valid_limits<Limits{.events = 4}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 0, .voter = true}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 256}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 1025}>());
static_assert(valid_limits<Limits{.peers = 4, .lanes = 2, .journal_buffer_bytes = 936}>());
static_assert(valid_limits<Limits{.voter = true, .log_entries = 8, .log_bytes = 512, .proposals = 1}>());
static_assert(valid_limits<Limits{.voter = true, .log_entries = 16, .log_bytes = 256, .proposals = 1}>());
static_assert(valid_limits<Limits{.voter = true, .log_entries = 16, .log_bytes = 563, .proposals = 1}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 632, .voter = true, .log_entries = 16, .log_bytes = 564, .proposals = 1}>());
static_assert(valid_limits<Limits{.voter = true, .log_entries = 16, .log_bytes = 1024, .proposals = 0}>());
#endif
