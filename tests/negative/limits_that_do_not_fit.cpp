// must not compile: peers must be 1..256
// must not compile: topics must be 1..4096
// must not compile: topic_bytes_max must be 8..256
// must not compile: local_subscriptions must be 1..1024
// must not compile: remote_subscriptions must be 1..4096
// must not compile: aliases_per_peer must be 1..1024
// must not compile: payload_block_bytes must be a multiple of 4, 16..4096
// must not compile: message_bytes_max must be 1..1100: a message fits one packet
// must not compile: outbox_bytes must hold at least one longest message
// must not compile: unsettled_max must be a multiple of 64, 64..1024
// must not compile: packets_in_flight_per_peer must be a power of two, 8..1024
// must not compile: requests must be 1..64
// must not compile: fences must be 1..64
// must not compile: events must be at least 8
// must not compile: a voter needs a journal: journal_buffer_bytes must be at least 512
// must not compile: journal_buffer_bytes must be 0 or at least 512
// must not compile: journal_buffer_bytes must be a multiple of 8
#include <dunlin/node/node_memory.hpp>

using dunlin::Limits;
using dunlin::valid_limits;

static_assert(valid_limits<dunlin::limits::micro>());

#ifdef MUST_NOT_COMPILE
static_assert(valid_limits<Limits{.peers = 0}>());
static_assert(valid_limits<Limits{.topics = 5000}>());
static_assert(valid_limits<Limits{.topic_bytes_max = 7}>());
static_assert(valid_limits<Limits{.local_subscriptions = 0}>());
static_assert(valid_limits<Limits{.remote_subscriptions = 0}>());
static_assert(valid_limits<Limits{.aliases_per_peer = 0}>());
static_assert(valid_limits<Limits{.payload_block_bytes = 18}>());
static_assert(valid_limits<Limits{.message_bytes_max = 1200}>());
static_assert(valid_limits<Limits{.outbox_bytes = 512}>());
static_assert(valid_limits<Limits{.unsettled_max = 65}>());
static_assert(valid_limits<Limits{.packets_in_flight_per_peer = 12}>());
static_assert(valid_limits<Limits{.requests = 65}>());
static_assert(valid_limits<Limits{.fences = 0}>());
static_assert(valid_limits<Limits{.events = 4}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 0, .voter = true}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 256}>());
static_assert(valid_limits<Limits{.journal_buffer_bytes = 1025}>());
#endif
