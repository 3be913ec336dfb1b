#pragma once

#include <dunlin/ledger/commands.hpp>
#include <dunlin/wire/record.hpp>

#include <array>

namespace dunlin::ledger {

inline constexpr std::size_t kVoterEntryBytes = sizeof(wire::VoterEntry);

// Writes `row` as a VoterEntry into kVoterEntryBytes zeroed bytes.
void encode_voter(const MemberRow& row, std::span<std::byte> entry);

// Reads the voters out of a voter_set record, for their addresses. Malformed records yield nothing.
class VoterSetReader {
  public:
    explicit VoterSetReader(const wire::Record& record);
    [[nodiscard]] std::size_t count() const { return count_; }
    // They are the voters as of this log index; 0: malformed.
    [[nodiscard]] LogIndex index() const { return index_; }
    [[nodiscard]] MemberRow voter(std::size_t i) const;  // i < count(), asserted

  private:
    std::span<const std::byte> bytes_;
    std::size_t count_ = 0;
    LogIndex index_{};
};

}  // namespace dunlin::ledger
