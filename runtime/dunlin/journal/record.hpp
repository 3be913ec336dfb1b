#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/journal/record_kind.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::journal {

static_assert(std::endian::native == std::endian::little, "records are copied in and out as little-endian structs");

inline constexpr std::uint8_t kRecordContinued = 1;  // flag: atomic with the next record
inline constexpr std::uint32_t kRecordAlign = 8;

// The head of a record on the device; the payload follows, then zeros up to a multiple of 8 bytes, or of what flash programs at once.
struct RecordHead {
    std::uint64_t sequence = 0;        // one more than that of the record before it in the bank
    std::uint64_t synced_through = 0;  // every record up to this one was durable before this one was written
    std::uint32_t length = 0;          // of the payload
    std::uint32_t crc = 0;             // CRC32C of head (crc = 0) and payload, seeded with the bank's own seed
    std::uint32_t salt = 0;            // grows at every boot: never below that of the record before it
    RecordKind kind = RecordKind::none;
    std::uint8_t flags = 0;
    std::uint16_t reserved = 0;
};
static_assert(sizeof(RecordHead) == 32);

// Bytes that a record with a payload of `length` takes on a device where records begin at multiples of `align`. length <= 2^31.
[[nodiscard]] constexpr std::uint32_t record_bytes(std::uint32_t length, std::uint32_t align = kRecordAlign) {
    return (static_cast<std::uint32_t>(sizeof(RecordHead)) + length + align - 1) & ~(align - 1);
}

// The CRC that belongs in `head`, whose own is set to zero. O(length).
[[nodiscard]] std::uint32_t record_crc(RecordHead& head, std::span<const std::byte> payload, std::uint32_t seed);

// Gives every record in `records` (whole records, one after the other, padded to `align`) its synced_through and CRC: done when the group
// is about to be written, because only then is it known what was durable before it.
void seal_records(std::span<std::byte> records, JournalSequence synced_through, std::uint32_t seed, std::uint32_t align);

// A record as it is given back after a restart.
struct RecoveredRecord {
    JournalSequence sequence{};
    std::span<const std::byte> bytes{};  // in the journal's buffer: valid until the next poll_op()
    RecordKind kind = RecordKind::none;
};

}  // namespace dunlin::journal
