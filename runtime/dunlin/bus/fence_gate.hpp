#pragma once

#include <dunlin/bus/records.hpp>
#include <dunlin/core/counters.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/journal.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dunlin::bus {

struct FenceRow {
    LeaseKey lease{};
    Token floor{};
    JournalSequence gate{};  // the floor counts once the journal is durable up to here
    bool known = false;      // false: must still be read from the ledger
    bool kept = false;       // the floor was admitted, so that the journal has it; false: it is known by a read alone, or not at all
    bool asked = false;      // admit() answered busy
    bool taken = false;
    std::uint8_t name_bytes = 0;
    std::array<char, kLeaseNameBytesMax> name{};  // to ask the ledger by; empty where only a journal told of the lease
};

// Stops a holder that was paused past its lease: for each guarded lease it keeps the highest token ever admitted (the
// floor), and refuses lower ones. It serves the bus's fenced subscriptions and any resource outside the bus alike.
// Invariant: a token is admitted only when no crash can make this node forget that it was. With a journal the floor is
// durable first. Where none was recovered, because there is no journal, or a new one in place of one that was lost, nothing is
// admitted until the current token was read linearizably from the ledger; on a node without a cluster that is never.
class FenceGate {
  public:
    // `journal` may be null. All outlive the gate.
    FenceGate(std::span<FenceRow> rows, journal::Journal* journal, Counters& counters);

    // Keeps a floor for this lease from now on, for the life of the process, or of the journal once a token was admitted.
    // table_full: Limits::fences are guarded.
    // `name`: of the lease, 1..32 bytes; `lease` is its key.
    Status guard(LeaseKey lease, std::string_view name);
    // ok: act now. fenced: a higher token was admitted, or there is no token. busy: ask again after the journal's next
    // sync, or after floor_known(), or where ready() is true already (the journal had no room) after a while; not_found: the lease
    // is not guarded. O(rows).
    Status admit(LeaseKey lease, Token token);
    [[nodiscard]] Token floor(LeaseKey lease) const;  // 0: none known

    // The name of a guarded lease whose token must be read from the ledger (linearizably), or nothing.
    [[nodiscard]] std::optional<std::string_view> needs_floor_read() const;
    // The answer: the token of the current grant or, where the lease is free, the log index that the read was confirmed
    // at (every earlier grant is below it, every later one above).
    void floor_known(LeaseKey lease, Token token);
    // True once after admit() said `busy` and the reason is gone: a floor became durable or known. O(rows).
    [[nodiscard]] bool take_ready();
    [[nodiscard]] bool ready() const;  // take_ready() would be true

    // Recovery: a fence_floor record in journal order. table_full: the limits shrank below what is stored.
    Status replay(std::span<const std::byte> record);
    // Checkpoint: writes one record a row, from row `cursor` (at first 0) on. busy: call again with the same cursor.
    Status emit_live(std::uint32_t& cursor, const EmitRecord& emit) const;

  private:
    [[nodiscard]] FenceRow* find(LeaseKey lease);
    [[nodiscard]] const FenceRow* find(LeaseKey lease) const;
    [[nodiscard]] bool durable(const FenceRow& row) const;
    [[nodiscard]] bool raise(FenceRow& row, Token token);
    [[nodiscard]] FenceRow* find_or_take(LeaseKey lease);  // taken: not known

    std::span<FenceRow> rows_;
    journal::Journal* journal_;
    Counters* counters_;
};

}  // namespace dunlin::bus
