#pragma once

#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::consensus {

// Travels in EntryHead and is journalled: values are only ever added. Consensus itself gives meaning to `none` and `members` alone.
enum class EntryType : std::uint8_t {
    none = 0,       // the no-op that each leader starts its term with; no payload
    bootstrap = 1,  // always the entry at index 1, written by `init`: names the voters
    command = 2,    // of a ledger session
    renewals = 3,   // {as_of, bitmap}
    tick = 4,       // the next lease deadline has passed
    members = 5,    // a ConfigChange, then what the ledger wants to know of it; see Consensus::propose_change()
    feature = 6,    // from here on, rules and layouts of this feature level may be used
};

// One entry of the replicated log. `payload` stays valid until the entry is reported as applied or the log is changed
// (any call that is not const); copy what outlives that.
struct Entry {
    LogIndex index{};
    Term term{};
    ClusterTime time{};
    EntryType type = EntryType::none;
    std::span<const std::byte> payload{};
};

// What an image of the state machine contains: everything up to and with entry `index`.
struct ImagePoint {
    LogIndex index{};
    Term term{};         // of entry `index`
    ClusterTime time{};  // of entry `index`

    friend constexpr bool operator==(const ImagePoint&, const ImagePoint&) = default;
};

}  // namespace dunlin::consensus
