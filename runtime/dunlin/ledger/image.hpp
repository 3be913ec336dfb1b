#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/slot_pool.hpp>
#include <dunlin/core/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::ledger {

// The whole replicated state is one byte string: a header, then the tables, in the order and width below. Little-endian,
// fixed widths, no padding, so that two replicas are equal exactly where their bytes are, and a snapshot is a copy.
// (A big-endian machine would have to swap in load and store; the static_asserts of image.cpp refuse it.)
// An unused row is all zero.

inline constexpr std::uint32_t kImageMagic = 0x4d494c44;  // "DLIM"
inline constexpr std::uint16_t kImageVersion = 2;
inline constexpr std::uint32_t kFeatureLevel = 1;  // of this build: the newest rules and layouts that it knows

#pragma pack(push, 4)

struct ImageHeader {  // 88 bytes; magic and version keep their places in every version
    std::uint32_t magic;
    std::uint16_t version;
    LedgerLimits limits;          // u16 each: leases, keys, sessions, members, value_bytes
    std::uint64_t incarnation;    // ClusterIncarnation; 0: no bootstrap entry was applied yet
    std::uint64_t applied_index;  // LogIndex of the last entry in this state
    std::uint64_t applied_term;
    std::uint64_t cluster_time;    // microseconds, of the last entry applied
    std::uint64_t state_hash;      // rolling FNV-1a over every entry and every row change
    std::uint64_t voters_index;    // log index of the entry that changed the members last
    std::uint64_t sessions_gone;   // highest last_used of the sessions that are gone: each was opened by then
    std::uint32_t voter_rate_ppm;  // bound of every voter's clock rate error
    std::uint32_t feature_level;   // newest commands and layouts that may be used
    std::uint32_t grants_after;    // seconds of cluster time before which no lease is granted; 0, but after a forced recovery
    std::uint32_t crc32c;          // of the image with this field zero; filled in by seal()
};

#pragma pack(pop)
#pragma pack(push, 1)  // 3.5 KiB must hold the tables of a small board

struct RowName {          // 33 bytes; zero behind its length, so that names are equal where their bytes are
    std::uint8_t length;  // 0: the row is unused
    char text[32];
};
static_assert(kLeaseNameBytesMax == 32 && kKeyNameBytesMax == 32);

struct LeaseRow {            // 59 bytes
    std::uint64_t token;     // log index of the grant; 0: the row is unused
    std::uint64_t deadline;  // cluster time, microseconds
    std::uint32_t ttl_us;
    std::uint32_t holder_epoch;
    std::uint16_t holder;  // NodeId
    RowName name;
};

struct KeyRow {              // 43 bytes, then LedgerLimits::value_bytes of value, zero behind its length
    std::uint64_t revision;  // log index of the last put; 0: the row is unused
    std::uint16_t value_length;
    RowName name;
};

struct SessionRow {           // 37 bytes
    std::uint64_t id;         // SessionId; 0: the row is unused
    std::uint64_t sequence;   // of the last command executed; 0: none yet
    std::uint64_t value;      // its result, answered again to a retry
    std::uint64_t last_used;  // log index of it: the session least recently used is evicted first
    std::uint16_t node;       // NodeId of the client
    std::uint16_t detail;
    std::uint8_t status;  // Status
};

struct MemberRow {                        // 76 bytes; also the form of a voter in a bootstrap entry
    std::uint64_t storage;                // StorageId; 0: the row is unused
    std::uint16_t node;                   // NodeId
    std::uint8_t address_length;          // 0..64
    std::uint8_t flags;                   // kMemberVoter or kMemberLearner
    std::byte address[kAddressBytesMax];  // opaque to the runtime: transports read it
};
#pragma pack(pop)

inline constexpr std::uint8_t kMemberVoter = 1;
inline constexpr std::uint8_t kMemberLearner = 2;  // is sent the log, and has no say

// Whether a member's fields are in range.
[[nodiscard]] bool sound(const MemberRow& row);

static_assert(sizeof(LedgerLimits) == 10 && sizeof(ImageHeader) == 88);
static_assert(sizeof(LeaseRow) == 59 && sizeof(KeyRow) == 43 && sizeof(SessionRow) == 37 && sizeof(MemberRow) == 76);

// Where each table starts, in bytes from the image's start.
struct ImageLayout {
    std::size_t leases, keys, sessions, members, total;
};
// Rows of the last table: voters and those that are to be voters, so there is no room for more than can vote.
[[nodiscard]] constexpr std::size_t member_rows(const LedgerLimits& limits) {
    return limits.members < kVotersMax ? limits.members : kVotersMax;
}
[[nodiscard]] constexpr ImageLayout image_layout(const LedgerLimits& limits) {
    ImageLayout layout{};
    layout.leases = sizeof(ImageHeader);
    layout.keys = layout.leases + limits.leases * sizeof(LeaseRow);
    layout.sessions = layout.keys + limits.keys * (sizeof(KeyRow) + limits.value_bytes);
    layout.members = layout.sessions + limits.sessions * sizeof(SessionRow);
    layout.total = layout.members + member_rows(limits) * sizeof(MemberRow);
    return layout;
}
[[nodiscard]] constexpr std::size_t image_bytes(const LedgerLimits& limits) { return image_layout(limits).total; }
static_assert(image_bytes(LedgerLimits{}) <= 3584, "a board's ledger fits 3.5 KiB");

// Whether every field is in its range (core/limits.hpp).
[[nodiscard]] constexpr bool valid(const LedgerLimits& limits) {
    const auto between = [](std::uint16_t value, std::uint16_t low, std::size_t high) { return value >= low && value <= high; };
    return between(limits.leases, 1, 1024) && between(limits.keys, 1, 1024) && between(limits.sessions, 1, 1024) &&
           between(limits.members, 1, 1024) && between(limits.value_bytes, 8, kValueBytesMax) && limits.value_bytes % 8 == 0;
}

// `name` (at most 32 bytes, asserted) as a row holds it.
[[nodiscard]] RowName row_name(std::string_view name);
[[nodiscard]] inline std::string_view text_of(const RowName& name) { return {name.text, name.length}; }

// Checks that `bytes` is a sealed image under `limits`, with every length in its bounds: corrupt; unsupported_version, which goes
// for a feature level above `feature_level` (what the build knows) too, since its rows would be read by older rules; or
// invalid_argument where it is sound but was made under other limits, so that this build can not hold it. O(bytes).
[[nodiscard]] Status verify_image(std::span<const std::byte> bytes, const LedgerLimits& limits,
                                  std::uint32_t feature_level = kFeatureLevel);

// Typed access to an image's rows, by copy: rows need no alignment. Slots are asserted to be in range. O(row).
class Image {
  public:
    // `bytes.size() == image_bytes(limits)`, aligned to 4, asserted. The content is left as it is: call clear() or assign().
    Image(std::span<std::byte> bytes, const LedgerLimits& limits);

    void clear();                                      // an empty ledger under these limits
    void assign(std::span<const std::byte> verified);  // of the same size
    void seal();                                       // fills in the checksum
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] const LedgerLimits& limits() const { return limits_; }

    // The slot of that name, kNoSlot where there is none. The empty name is that of every unused row. O(rows).
    [[nodiscard]] std::uint16_t find_lease(std::string_view name) const;
    [[nodiscard]] std::uint16_t find_key(std::string_view name) const;
    [[nodiscard]] std::uint16_t find_session(std::uint64_t id) const;
    // The slot of that member; of NodeId 0: a free one.
    [[nodiscard]] std::uint16_t find_member(std::uint16_t node) const;

    // In its place: what is written there is in the image.
    [[nodiscard]] ImageHeader& header() { return *header_; }
    [[nodiscard]] const ImageHeader& header() const { return *header_; }
    [[nodiscard]] LeaseRow lease(std::size_t slot) const;
    [[nodiscard]] KeyRow key(std::size_t slot) const;
    [[nodiscard]] std::span<const std::byte> value(std::size_t slot) const;  // of the key, as long as it is
    [[nodiscard]] SessionRow session(std::size_t slot) const;
    [[nodiscard]] MemberRow member(std::size_t slot) const;

    // Each store returns the bytes that changed, for the state hash.
    std::span<const std::byte> store(std::size_t slot, const LeaseRow& row);
    std::span<const std::byte> store(std::size_t slot, const KeyRow& row, std::span<const std::byte> value);
    std::span<const std::byte> store(std::size_t slot, const SessionRow& row);
    std::span<const std::byte> store(std::size_t slot, const MemberRow& row);

  private:
    [[nodiscard]] std::size_t lease_at(std::size_t slot) const;
    [[nodiscard]] std::size_t key_at(std::size_t slot) const;
    [[nodiscard]] std::size_t session_at(std::size_t slot) const;
    [[nodiscard]] std::size_t member_at(std::size_t slot) const;
    void load_at(std::size_t offset, void* row, std::size_t row_bytes) const;
    std::span<const std::byte> store_at(std::size_t offset, std::span<const std::byte> row);
    [[nodiscard]] std::uint16_t find(std::size_t first, std::size_t stride, std::uint16_t rows, std::span<const std::byte> wanted) const;

    std::span<std::byte> bytes_;
    ImageHeader* header_;  // lies in bytes_
    LedgerLimits limits_;
    ImageLayout layout_;
};

}  // namespace dunlin::ledger
