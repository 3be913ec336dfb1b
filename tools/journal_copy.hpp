#pragma once

#include "journal_contents.hpp"
#include "record_writer.hpp"
#include "voter_entry.hpp"

#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_tool {

// What goes over from a node's journal to one for another incarnation of its cluster, and how the new one is made. The old one is read and
// never changed.
class JournalCopy {
  public:
    // Throws HostError or ToolError(kCannotStart): it cannot be read whole, or its node runs.
    explicit JournalCopy(const std::string& path);

    [[nodiscard]] const JournalContents& contents() const { return contents_; }
    // "the journal 'FILE'", for sentences.
    [[nodiscard]] const std::string& name() const { return name_; }
    // This node as its own log has it, but for the storage, which is another one now. Throws ToolError(kCannotStart): it is no member.
    [[nodiscard]] VoterEntry entry(dunlin::StorageId storage) const;

    // A new journal: of `storage`, bound to `incarnation`, then `replica`, then all of the old one that is not its replica's:
    // epochs, what was published and is not settled, subscriptions, watermarks, keys, fences. Throws as make_journal().
    void make(const std::string& path, dunlin::StorageId storage, dunlin::ClusterIncarnation incarnation,
              std::vector<OwnedRecord> replica) const;
    // The longest payload of a record of the new journal.
    [[nodiscard]] std::size_t payload_bytes_max() const { return record_bytes_max_ - sizeof(dunlin::journal::RecordHead); }

  private:
    std::string name_;
    JournalContents contents_;
    std::vector<OwnedRecord> kept_;
    std::uint64_t file_bytes_ = 0;
    std::uint32_t record_bytes_max_ = 0;
};

}  // namespace dunlin_tool
