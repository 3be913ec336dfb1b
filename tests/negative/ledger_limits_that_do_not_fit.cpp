// must not compile: ledger must have 1..1024 leases, keys, sessions and members, and values of 8..1024 bytes, a multiple of 8
#include <dunlin/node/node_memory.hpp>

using dunlin::Limits;
using dunlin::valid_limits;

#ifdef MUST_NOT_COMPILE
static_assert(valid_limits<Limits{.ledger = {.value_bytes = 12}}>());
#else
static_assert(valid_limits<Limits{.ledger = {.value_bytes = 16}}>());
#endif
