#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/format_info.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::journal {

inline constexpr std::uint32_t kHeaderSectorBytes = 512;                 // reserved for the header at the start of each bank
inline constexpr std::uint32_t kHeaderSlotBytes = 64;                    // one state of a bank
inline constexpr std::uint32_t kBankHeaderBytes = 3 * kHeaderSlotBytes;  // of the sector these are used

enum class BankState : std::uint8_t {
    none = 0,
    building = 1,  // a checkpoint is being written here; promises nothing
    active = 2,    // the checkpoint is whole; appends follow it
    retired = 3,   // the other bank took over: it must exist, else the journal is corrupt
};

// The head of a bank. It is written three times in a bank's life, each time in the next slot, so that flash can take it too: as
// `building`, synced, before the first record (so that no two attempts ever share a salt); as `active` after every record of the
// checkpoint is synced; and as `retired` when the other bank has taken over.
struct BankHeader {
    std::uint64_t magic = 0;    // kMagic
    std::uint32_t crc = 0;      // CRC32C of the header with crc = 0
    std::uint16_t version = 0;  // magic, crc and version keep their places in every version
    BankState state = BankState::none;
    std::uint8_t reserved = 0;
    std::uint64_t storage = 0;         // the StorageId of the format
    std::uint64_t generation = 0;      // 1 at format, one more at every checkpoint; the highest active wins
    std::uint64_t first_sequence = 0;  // of the first record of the bank
    std::uint64_t sealed_through = 0;  // active: the last record of the checkpoint
    std::uint32_t bank_bytes = 0;
    std::uint32_t record_bytes_max = 0;  // longest record, head included
    std::uint32_t salt = 0;              // of the records of the checkpoint
    std::uint32_t record_align = 0;      // records begin at multiples of it: 8..64

    static constexpr std::uint64_t kMagic = 0x6c6e6a6e6c6e7564U;  // "dunlnjnl"
};
static_assert(sizeof(BankHeader) == kHeaderSlotBytes);

// Where in the bank a header with this state is.
[[nodiscard]] constexpr std::uint32_t slot_of(BankState state) { return (static_cast<std::uint32_t>(state) - 1) * kHeaderSlotBytes; }

// Bytes of each of the two banks of a device: half of it, rounded down to 512 or to whole erase blocks, and at most 1 GiB. 0: it is too
// small for a journal.
[[nodiscard]] constexpr std::uint32_t bank_bytes_of(std::uint64_t device_bytes, std::uint32_t erase_bytes = 0) {
    constexpr std::uint32_t kBankBytesMin = 1024;
    constexpr std::uint64_t kBankBytesMax = 1U << 30U;
    const std::uint32_t unit = std::max(erase_bytes, kHeaderSectorBytes);
    const std::uint32_t half = static_cast<std::uint32_t>(std::min(device_bytes / 2, kBankBytesMax)) / unit * unit;
    return half < kBankBytesMin ? 0 : half;
}

// What the header of a bank is. `garbage` was torn while it was written or erased, or is rotten.
enum class BankHeaderKind : std::uint8_t { blank, garbage, other_version, valid };

// Fills in magic, version and CRC, and copies `header` to `out`, which holds kHeaderSlotBytes.
void write_bank_header(BankHeader& header, std::span<std::byte> out);
// Of the kBankHeaderBytes at the start of a bank: the last state that the bank was in that can be read.
[[nodiscard]] BankHeaderKind read_bank_header(std::span<const std::byte> bytes, BankHeader& out);

// Seeds the CRC of every record in the bank, so that one left over from another generation or format is never valid.
// (One of an interrupted checkpoint of the same generation has a salt below the header's.)
[[nodiscard]] std::uint32_t bank_seed(const BankHeader& header);

}  // namespace dunlin::journal
