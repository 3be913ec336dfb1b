#pragma once

#include <dunlin/core/assert.hpp>

#include <cstdint>
#include <string_view>

namespace dunlin {

// What a caller must handle. The same values travel in ledger replies, so numbers are never reused.
enum class [[nodiscard]] Status : std::uint8_t{
    ok = 0,
    // Limits of this node
    outbox_full = 1,  // no room for the payload or its deliveries; try again after an outcome
    table_full = 2,   // a fixed table of this node is full
    too_large = 3,    // longer than the limit that applies
    busy = 4,         // an operation of this kind is under way, or a bounded queue is full; retry
    // Input
    invalid_argument = 10,  // out of range; nothing was changed
    invalid_topic = 11,     // empty, too long, or contains a wildcard
    invalid_filter = 12,    // malformed subscription filter
    not_found = 13,
    // State
    no_subscriber = 20,  // published to nobody; nothing was stored
    recovering = 21,     // the journal is still being read
    shutting_down = 22,
    // 23 is not used
    peer_unreachable = 24,  // a subscriber has no session now; nothing was stored
    // Coordination
    no_quorum = 30,        // no leader that a majority follows
    not_leader = 31,       // ask the leader
    timed_out = 32,        // unknown outcome; retry under the same sequence
    session_evicted = 33,  // the ledger no longer knows the session; earlier commands may have run
    lease_held = 34,       // somebody else holds the lease, or none is granted yet (ImageHeader::grants_after)
    lease_lost = 35,       // the token names no current grant
    ledger_full = 36,      // a table of the replicated ledger is full
    stale_sequence = 37,   // a later command of the session was answered; of an opening: draw another id
    // Bytes
    corrupt = 40,  // checksum or structure is wrong
    foreign_cluster = 41, unsupported_version = 42,
    blank = 43,  // a journal that was never formatted
    device_error = 44, device_full = 45,
    fenced = 46,         // the token is below the floor, or of another lease
    voter_journal = 47,  // a voter's journal, at a node that does not vote
};

// Lower-case name of a status, as printed to people and in JSON. Never null.
[[nodiscard]] std::string_view to_string(Status status);

// A value or the Status that says why there is none. T is trivially copyable or movable without a heap.
template <class T>
class [[nodiscard]] Result {
  public:
    constexpr Result(T value) : value_(value), status_(Status::ok) {}  // NOLINT(google-explicit-constructor)
    constexpr Result(Status status) : value_{}, status_(status) {      // NOLINT(google-explicit-constructor)
        DUNLIN_ASSERT(status != Status::ok);
    }
    [[nodiscard]] constexpr bool ok() const { return status_ == Status::ok; }
    [[nodiscard]] constexpr Status status() const { return status_; }
    [[nodiscard]] constexpr const T& value() const {
        DUNLIN_ASSERT(ok());
        return value_;
    }

  private:
    T value_;
    Status status_;
};

}  // namespace dunlin
