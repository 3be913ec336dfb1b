#pragma once

#include "journal_contents.hpp"

#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/recovery.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace dunlin_tool {

// What a journal file holds, and whether it is whole.
struct JournalInspection {
    enum class Verdict : std::uint8_t {
        whole,
        torn_tail,     // whole, but for what was written last and never synced: the next start cuts it off
        corrupt,       // what was promised cannot be read
        another_size,  // the file is shorter or longer than the journal was made
    };
    struct Bank {
        dunlin::journal::BankHeaderKind kind;
        dunlin::journal::BankHeader header;  // of one that is valid
    };
    struct Damage {
        std::uint64_t offset;    // in the file
        std::uint64_t sequence;  // of the record there; 0: it is the header of the bank
        std::uint8_t bank;
        bool malformed;  // its checksum is right, and what is in it is not
    };

    std::uint64_t file_bytes = 0;
    bool in_use = false;  // a node has it open: all of this is as of a moment
    Verdict verdict = Verdict::whole;
    std::array<Bank, 2> banks{};
    std::optional<std::uint8_t> current;  // the bank that is read; nothing: neither can be
    std::uint32_t bank_bytes = 0;
    std::optional<Damage> damage;  // corrupt, though a bank can be read
    std::uint64_t torn_offset = 0;
    std::uint32_t torn_bytes = 0;  // or more

    // The records; where it is corrupt those in front of the damage, and nothing where the damage is in the checkpoint itself.
    std::optional<JournalContents> contents;
    std::uint64_t last_sequence = 0;
    std::uint32_t used_bytes = 0;  // of bank_bytes - kHeaderSectorBytes
};

// Reads the file and changes nothing of it: it is open for reading alone, and its lock is only looked at. Made of the runtime's own
// recovery. A running node may append to the file meanwhile, so damage is believed only when a second look that was
// begun after the first finds the same: what a bank holds is written once, in ascending order. Cost: the current bank is read two
// to four times, 1 MiB of memory and what the contents take.
// Throws HostError or ToolError(kCannotStart), one sentence: it cannot be read, is no journal, blank, of another version of dunlin,
// or never stood still.
[[nodiscard]] JournalInspection inspect_journal(const std::string& path);

// The same, and every record of a journal that is whole (but for a torn tail) in order; of another one, none. Refuses one whose node runs.
using TakeRecord = std::function<void(const dunlin::journal::RecoveredRecord&)>;
[[nodiscard]] JournalInspection inspect_journal(const std::string& path, const TakeRecord& take);

}  // namespace dunlin_tool
