#include <dunlin/core/assert.hpp>
#include <dunlin/ledger/voter_set_reader.hpp>

#include <cstring>

namespace dunlin::ledger {

VoterSetReader::VoterSetReader(const wire::Record& record) : bytes_(record.bytes) {
    const wire::VoterSet set = record.as<wire::VoterSet>();
    if (set.count() > kVotersMax || bytes_.size() != set.count() * kVoterEntryBytes) return;
    for (std::size_t i = 0; i < set.count(); ++i) {
        if (!sound(voter(i))) return;
    }
    count_ = set.count();
    index_ = LogIndex{set.index()};
}

// As in wire::VoterEntry, whose 64 bytes of address are not worth a generated accessor for each.
MemberRow VoterSetReader::voter(std::size_t i) const {
    const std::span<const std::byte> entry = bytes_.subspan(i * kVoterEntryBytes, kVoterEntryBytes);
    MemberRow row{};
    std::memcpy(&row.storage, entry.data(), sizeof row.storage);
    std::memcpy(&row.node, entry.data() + 8, sizeof row.node);
    row.address_length = entry[11] == std::byte{} ? std::to_integer<std::uint8_t>(entry[10]) : std::uint8_t{255};
    row.flags = kMemberVoter;
    std::memcpy(row.address, entry.data() + 16, sizeof row.address);
    return row;
}

void encode_voter(const MemberRow& row, std::span<std::byte> entry) {
    DUNLIN_ASSERT(entry.size() == kVoterEntryBytes);
    std::memcpy(entry.data(), &row.storage, sizeof row.storage);
    std::memcpy(entry.data() + 8, &row.node, sizeof row.node);
    entry[10] = std::byte{row.address_length};
    std::memcpy(entry.data() + 16, row.address, sizeof row.address);
}

}  // namespace dunlin::ledger
