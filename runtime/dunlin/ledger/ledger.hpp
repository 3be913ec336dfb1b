#pragma once

#include <dunlin/consensus/entry.hpp>
#include <dunlin/core/counters.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/image.hpp>

#include <optional>

namespace dunlin::ledger {

struct LedgerStorage {
    std::span<std::byte> image;                  // image_bytes(limits), aligned to 4
    LedgerLimits limits{};                       // what this build holds
    std::uint8_t feature_level = kFeatureLevel;  // and knows
};

// How a command ended, as its client is told.
struct CommandResult {
    Status status = Status::ok;
    std::uint16_t detail = 0;  // acquire: slot of the lease; lease_held: the holder's NodeId, 0 where nobody knows it
    // acquire: token; lease_held: microseconds until it may be granted; put: revision; member: log index; session_evicted, and
    // stale_sequence of an opening: applied index
    std::uint64_t value = 0;
};

// What applying one entry did. `replica` other than ok: this replica must stop, and apply() is not called again.
struct ApplyResult {
    Status replica = Status::ok;  // see Ledger::status()
    CommandResult command{};      // of EntryType::command and EntryType::members
    bool repeated = false;        // answered from the session's row, not executed
};

// The replicated state machine. Same entries, same bytes: what apply() does depends on the image and the entry alone, not
// on this node's limits, clock or role. Tables that are full are full by the cluster's LedgerLimits.
//
// - Before anything else an entry moves cluster time to its own (never back), and then at most kExpiriesPerEntry leases
//   whose deadline has come expire, in (deadline, slot) order; the rest waits for the next entry.
// - Commands run exactly once: (session, sequence) at or below the session's last is answered, not executed. A new
//   sequence may leave gaps; what it passes over can never run later (stale_sequence).
// - A session is opened under an id that its client drew. One node has one session: opening another ends the old one. When
//   the table is full the least recently used session is evicted. Commands of a session that is gone end in session_evicted
//   and change nothing.
// - A session that is gone stays gone, else late copies of its opening and commands would run them again. Every copy of an
//   opening says which log index was known when its id was drawn (as_of), and can only have been committed behind it. So an
//   opening whose as_of is before the last use of any session that is gone may be that one's, and ends in stale_sequence.
//   Its client opens under another id, as of the applied index that it is told; so it does after session_evicted.
// - acquire: a free name, or one held by the same (node, epoch), is granted under token = log index; else lease_held. Nothing is granted
//   before ImageHeader::grants_after: voters that were lost may have granted it to somebody of whom this state knows nothing
//   (docs/decisions/0024).
// - renewals: a slot is renewed only if its token <= as_of and its deadline > cluster time.
// - feature: what a level adds may be used from here on. Whoever does not know that level stops.
// - members: the rows become what the change says, whatever became of the session that asked for it: consensus took the change
//   to its log, and acts on it already. It is absolute, so that a repeat changes nothing.
class Ledger {
  public:
    static constexpr std::size_t kExpiriesPerEntry = 4;

    Ledger(const LedgerStorage& storage, Counters& counters);
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    // Applies the entry after applied() (asserted). Amortised O(leases + keys + sessions).
    [[nodiscard]] ApplyResult apply(const consensus::Entry& entry);

    // ok; invalid_argument: the cluster's LedgerLimits are not this build's, so this node can neither vote nor learn;
    // unsupported_version: an entry, a command or a feature level that this build does not know was committed; corrupt: a malformed
    // bootstrap, members or feature entry was. All but ok are final until an image is installed.
    [[nodiscard]] Status status() const { return status_; }

    // The state as bytes, sealed; valid and unchanged until the next apply() or install(). O(image).
    [[nodiscard]] std::span<const std::byte> image();
    // Replaces the state by a sealed image (of a snapshot or the journal). On anything but ok the state is untouched:
    // corrupt, unsupported_version; invalid_argument: made under other limits, which status() reports from then on.
    [[nodiscard]] Status install(std::span<const std::byte> image);

    // ---- Reading; each is O(rows of its table) at most; find_*: kNoSlot where there is none ----------------------------------------------------------
    [[nodiscard]] LogIndex applied() const { return LogIndex{image_.header().applied_index}; }
    [[nodiscard]] Term applied_term() const { return Term{image_.header().applied_term}; }
    [[nodiscard]] ClusterTime cluster_time() const { return ClusterTime{image_.header().cluster_time}; }
    [[nodiscard]] std::uint64_t state_hash() const { return image_.header().state_hash; }
    [[nodiscard]] ClusterIncarnation incarnation() const { return ClusterIncarnation{image_.header().incarnation}; }
    [[nodiscard]] std::uint32_t voter_rate_ppm() const { return image_.header().voter_rate_ppm; }
    [[nodiscard]] LogIndex voters_index() const { return LogIndex{image_.header().voters_index}; }
    [[nodiscard]] const LedgerLimits& limits() const { return image_.limits(); }
    // Of the state: what its entries may use. Never goes back; at most the build's.
    [[nodiscard]] std::uint32_t feature_level() const { return image_.header().feature_level; }

    [[nodiscard]] std::uint16_t find_lease(std::string_view name) const { return image_.find_lease(name); }
    [[nodiscard]] std::uint16_t find_key(std::string_view name) const { return image_.find_key(name); }
    [[nodiscard]] std::uint16_t find_session(SessionId session) const { return image_.find_session(session.value()); }
    [[nodiscard]] LeaseRow lease(std::uint16_t slot) const { return image_.lease(slot); }
    [[nodiscard]] KeyRow key(std::uint16_t slot) const { return image_.key(slot); }
    [[nodiscard]] std::span<const std::byte> value(std::uint16_t slot) const { return image_.value(slot); }
    [[nodiscard]] SessionRow session(std::uint16_t slot) const { return image_.session(slot); }
    // One slot a member, storage 0 where there is none; slot < member_rows(limits()). Known once the bootstrap entry was applied.
    [[nodiscard]] MemberRow member(std::size_t slot) const { return image_.member(slot); }
    // Of that node; of NodeId 0: a free one.
    [[nodiscard]] std::uint16_t find_member(NodeId node) const { return image_.find_member(node.value()); }
    // The earliest deadline of a lease; nothing when none is held.
    [[nodiscard]] std::optional<ClusterTime> next_expiry() const;

  private:
    [[nodiscard]] Status admissible(const consensus::Entry& entry) const;
    void apply_bootstrap(std::span<const std::byte> payload);
    void apply_command(std::span<const std::byte> payload, ApplyResult& result);
    void apply_feature(std::span<const std::byte> payload);
    void apply_renewals(std::span<const std::byte> payload);
    void apply_members(std::span<const std::byte> payload, ApplyResult& result);
    [[nodiscard]] CommandResult open_session(const CommandHead& head, std::span<const std::byte> body);
    [[nodiscard]] CommandResult execute(CommandType type, const CommandHead& head, std::span<const std::byte> body);
    [[nodiscard]] CommandResult run_acquire(const CommandHead& head, const AcquireCommand& command);
    [[nodiscard]] CommandResult run_release(const CommandHead& head, const ReleaseCommand& command);
    [[nodiscard]] CommandResult run_put(const PutCommand& command);
    void remember(std::uint16_t slot, const CommandHead& head, const CommandResult& result);
    [[nodiscard]] std::uint16_t session_slot_for(NodeId node) const;
    [[nodiscard]] std::uint16_t next_to_expire() const;
    void expire_leases();
    void free_lease(std::uint16_t slot);
    void mix(std::span<const std::byte> bytes);
    void mix_row(std::size_t slot, std::span<const std::byte> row);

    Image image_;
    Counters* counters_;
    std::uint8_t known_level_;  // of the build
    Status status_ = Status::ok;
};

}  // namespace dunlin::ledger
