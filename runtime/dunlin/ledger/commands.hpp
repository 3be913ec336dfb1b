#pragma once

#include <dunlin/consensus/configuration.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/ledger/image.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::ledger {

// The bytes of log entries and of Command records: fixed-width, little-endian; tests/ledger pins them. Decoders accept
// any bytes and refuse whatever an encoder would not have written.

inline constexpr Duration kLeaseTtlMin = milliseconds{100};
inline constexpr Duration kLeaseTtlMax = seconds{3600};
inline constexpr std::uint32_t kClockRatePpmMax = 100'000;

// Numbers are never reused. A type that a replica does not know stops it.
enum class CommandType : std::uint8_t {
    none = 0,
    open_session = 1,
    acquire = 2,
    release = 3,
    put = 4,
    member = 5,    // its entry is EntryType::members
    transfer = 6,  // to a voter that is to lead: no entry at all
};

enum class ReadKind : std::uint8_t {
    none = 0,
    key = 1,     // ok: revision, value. not_found: revision = log index of the reading
    lease = 2,   // ok: revision = token, detail = holder. not_found: nobody holds it; every token <= revision is dead
    voters = 3,  // answered by a voter_set record, by any voter
};

// ---- Command bodies: the bytes of a Command record, and of its log entry behind CommandHead ------------------------

// As it is on the wire: 8 bytes. The same in every copy, however often it is sent.
struct OpenSessionCommand {
    std::uint64_t as_of;  // log index that its client knew to be applied when it drew the id; 0: it knew of none
};
static_assert(sizeof(OpenSessionCommand) == 8);
struct AcquireCommand {
    std::string_view name;  // 1..kLeaseNameBytesMax bytes
    Duration ttl{};         // kLeaseTtlMin..kLeaseTtlMax
    BootEpoch holder_epoch{};
};
struct ReleaseCommand {
    std::string_view name;
    Token token{};
};
struct PutCommand {
    std::string_view key;  // 1..kKeyNameBytesMax bytes
    std::span<const std::byte> value{};
};
// As it is on the wire: the change, then the address of a learner that is added, 0..kAddressBytesMax bytes; no other has one.
struct MemberCommand {
    consensus::ConfigChange change{};  // storage 0, but not of a learner that is added: whatever the member has
    std::span<const std::byte> address{};
};
// ok, invalid_argument (a field is out of range), or unsupported_version (another kind of change than those that are known here).
[[nodiscard]] Status check(const MemberCommand& command);
// Who leads already has done it; until then its leader answers busy. As it is on the wire: 8 bytes.
struct TransferCommand {
    std::uint16_t node;  // NodeId of the voter
    std::uint16_t reserved0;
    std::uint32_t reserved1;
};
static_assert(sizeof(TransferCommand) == 8);

inline constexpr std::size_t kPutBytesMax = 4 + kKeyNameBytesMax + kValueBytesMax;  // the longest body
[[nodiscard]] std::size_t encoded_bytes(const AcquireCommand& command);
[[nodiscard]] std::size_t encoded_bytes(const ReleaseCommand& command);
[[nodiscard]] std::size_t encoded_bytes(const PutCommand& command);
// Each encoder returns the bytes written, or an empty span where `out` is too short.
[[nodiscard]] std::span<const std::byte> encode(const AcquireCommand& command, std::span<std::byte> out);
[[nodiscard]] std::span<const std::byte> encode(const ReleaseCommand& command, std::span<std::byte> out);
[[nodiscard]] std::span<const std::byte> encode(const PutCommand& command, std::span<std::byte> out);
// Each decoder returns false where `body` is malformed; views point into `body`.
[[nodiscard]] bool decode(std::span<const std::byte> body, OpenSessionCommand& command);
[[nodiscard]] bool decode(std::span<const std::byte> body, AcquireCommand& command);
[[nodiscard]] bool decode(std::span<const std::byte> body, ReleaseCommand& command);
[[nodiscard]] bool decode(std::span<const std::byte> body, PutCommand& command);
// As check(); invalid_argument also where it is too short.
[[nodiscard]] Status decode(std::span<const std::byte> body, MemberCommand& command);
// ok; unsupported_version: an unknown type; too_large: the name; invalid_argument: malformed otherwise; of a member command as above.
[[nodiscard]] Status validate_command(CommandType type, std::span<const std::byte> body);

// ---- Log entries ------------------------------------------------------------------------------------------------

// EntryType::command: this, then the body. 24 bytes.
struct CommandHead {
    std::uint64_t session;
    std::uint64_t sequence;  // 0 in open_session
    std::uint16_t node;      // NodeId of the client, as its link proved it to the leader
    std::uint8_t type;       // CommandType
    std::uint8_t reserved0;
    std::uint32_t reserved1;
};
static_assert(sizeof(CommandHead) == 24);

// EntryType::members: ConfigChange, CommandHead, then the address. ok, corrupt, or unsupported_version as above.
struct MembersEntry {
    MemberCommand command{};
    CommandHead head{};
};
[[nodiscard]] Status decode(std::span<const std::byte> payload, MembersEntry& entry);

// EntryType::renewals: this, then one bit a lease slot, lowest bit first, padded to whole bytes. EntryType::tick is empty.
struct RenewalsHead {
    std::uint64_t as_of;  // applied index when the bitmap was built: a later grant of a slot is not renewed
};
static_assert(sizeof(RenewalsHead) == 8);
[[nodiscard]] constexpr std::size_t renewal_bitmap_bytes(const LedgerLimits& limits) { return (limits.leases + 7u) / 8u; }

// EntryType::feature. Written once every member knows that level.
struct FeatureEntry {
    std::uint32_t level;  // not 0
    std::uint32_t reserved;
};
static_assert(sizeof(FeatureEntry) == 8);
[[nodiscard]] bool decode(std::span<const std::byte> payload, FeatureEntry& entry);

// EntryType::bootstrap: this, then voter_count MemberRow. The first entry of a cluster's log, written by init.
struct BootstrapHead {
    std::uint64_t incarnation;  // nonzero
    LedgerLimits limits;
    std::uint16_t voter_count;     // 1..kVotersMax
    std::uint32_t voter_rate_ppm;  // 0..kClockRatePpmMax: bound of every voter's clock rate error, slewing included
    std::uint32_t feature_level;
    std::uint32_t reserved;
};
static_assert(sizeof(BootstrapHead) == 32);

struct Bootstrap {
    ClusterIncarnation incarnation{};
    LedgerLimits limits{};
    std::uint32_t voter_rate_ppm = 1000;
    std::uint32_t feature_level = kFeatureLevel;
    std::span<const MemberRow> voters{};  // NodeId and StorageId nonzero and different from each other
};
inline constexpr std::size_t kBootstrapBytesMax = sizeof(BootstrapHead) + kVotersMax * sizeof(MemberRow);

// The longest payload that a log entry of a ledger under these limits can have. (A change of members is no longer than the shortest
// bootstrap.)
[[nodiscard]] constexpr std::size_t longest_entry(const LedgerLimits& limits) {
    const std::size_t bootstrap = sizeof(BootstrapHead) + member_rows(limits) * sizeof(MemberRow);
    const std::size_t put = sizeof(CommandHead) + kPutBytesMax - kValueBytesMax + limits.value_bytes;
    return std::max({bootstrap, put, sizeof(RenewalsHead) + renewal_bitmap_bytes(limits)});
}

static_assert(sizeof(consensus::ConfigChange) + sizeof(CommandHead) + kAddressBytesMax <= sizeof(BootstrapHead) + sizeof(MemberRow));

// A MemberRow for a voter; `address` is 0..kAddressBytesMax bytes (asserted).
[[nodiscard]] MemberRow voter_row(NodeId node, StorageId storage, std::span<const std::byte> address);

// Bytes written, or an empty span where `out` is too short (kBootstrapBytesMax always is enough).
[[nodiscard]] std::span<const std::byte> encode(const Bootstrap& bootstrap, std::span<std::byte> out);
// The head, checked together with all rows; false where anything is malformed.
[[nodiscard]] bool decode(std::span<const std::byte> payload, BootstrapHead& head);
// The i-th voter of a payload that decode() accepted.
[[nodiscard]] MemberRow bootstrap_voter(std::span<const std::byte> payload, std::size_t i);

}  // namespace dunlin::ledger
