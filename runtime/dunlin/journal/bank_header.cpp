#include <dunlin/core/bytes.hpp>
#include <dunlin/core/checksum.hpp>
#include <dunlin/journal/bank_header.hpp>

#include <algorithm>

namespace dunlin::journal {
namespace {

std::uint32_t header_crc(BankHeader& header) {
    header.crc = 0;
    return crc32c(bytes_of(header));
}

// All zeros, or all ones: erased flash.
bool is_blank(std::span<const std::byte> bytes) {
    std::byte any{0};
    std::byte all{0xff};
    for (const std::byte byte : bytes) {
        any |= byte;
        all &= byte;
    }
    return any == std::byte{0} || all == std::byte{0xff};
}

BankHeaderKind read_slot(std::span<const std::byte> bytes, BankHeader& out) {
    if (is_blank(bytes)) return BankHeaderKind::blank;
    BankHeader header{};
    if (!take(bytes, header)) return BankHeaderKind::garbage;
    const std::uint32_t crc = header.crc;
    if (header.magic != BankHeader::kMagic || crc != header_crc(header)) return BankHeaderKind::garbage;
    if (header.version != kFormatVersion) return BankHeaderKind::other_version;
    if (header.state < BankState::building || header.state > BankState::retired) return BankHeaderKind::garbage;
    out = header;
    return BankHeaderKind::valid;
}

}  // namespace

void write_bank_header(BankHeader& header, std::span<std::byte> out) {
    header.magic = BankHeader::kMagic;
    header.version = kFormatVersion;
    header.crc = header_crc(header);
    put(out, header);
}

BankHeaderKind read_bank_header(std::span<const std::byte> bytes, BankHeader& out) {
    BankHeaderKind kind = BankHeaderKind::blank;
    out = {};
    for (std::uint32_t slot = 0; slot < kBankHeaderBytes; slot += kHeaderSlotBytes) {
        BankHeader found{};
        const BankHeaderKind here = read_slot(bytes.subspan(slot, kHeaderSlotBytes), found);
        if (here == BankHeaderKind::other_version) return here;
        if (here == BankHeaderKind::valid) {
            // Where taking a bank anew was interrupted, a later slot may still tell of the generation before.
            if (kind != BankHeaderKind::valid || found.generation >= out.generation) out = found;
            kind = here;
        } else if (here == BankHeaderKind::garbage && out.state != BankState::active) {
            kind = here;  // one that began to count may have counted
        }
    }
    return kind;
}

std::uint32_t bank_seed(const BankHeader& header) {
    struct Identity {
        std::uint64_t storage;
        std::uint64_t generation;
    } const identity{header.storage, header.generation};
    return crc32c(bytes_of(identity));
}

}  // namespace dunlin::journal
