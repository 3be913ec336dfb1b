#pragma once

#include <dunlin/consensus/types.hpp>
#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::consensus {

// What one member is in the replicated log. A learner is sent the log and counts for nothing.
enum class Standing : std::uint8_t { none = 0, learner = 1, voter = 2 };

// Changes of who votes, one member at a time (Raft thesis §4.1). Numbers are never reused.
enum class ChangeOp : std::uint8_t {
    add_learner = 1,  // a node that is no member becomes a learner on `storage`
    promote = 2,      // a learner becomes a voter
    demote = 3,       // a voter becomes a learner
    remove = 4,       // a member is one no more
};

// The first bytes of an entry of type `members`; what follows is the ledger's (who asked, the address). Every replica applies it
// whatever the ledger answers, so that both always know the same members. Fixed width, little-endian.
struct ConfigChange {
    std::uint64_t storage;  // StorageId of the member that it is about
    std::uint16_t node;     // NodeId of it
    std::uint8_t op;        // ChangeOp
    std::uint8_t reserved0;
    std::uint32_t reserved1;
};
static_assert(sizeof(ConfigChange) == 16);

struct Member {
    Voter id{};
    Standing standing = Standing::none;
};

// The change that the payload of an entry of type `members` begins with; nothing where it is too short.
[[nodiscard]] std::optional<ConfigChange> change_in(std::span<const std::byte> payload);

// What `change` makes of `member`, its node's row as it is (standing none: of no member). Nothing where it cannot be: a node that
// is a member is not added, only a learner is promoted, only a voter demoted, and all but an addition name the storage of the row.
[[nodiscard]] std::optional<Standing> standing_after(const Member& member, const ConfigChange& change);

}  // namespace dunlin::consensus
