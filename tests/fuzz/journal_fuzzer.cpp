// Every content of a device is safe to recover from. Each input is read twice: as it is, and with all checksums made right,
// or nothing behind them would ever be reached. What recovers takes one more record, and then gives back the same and that.
#include "journal/boot.hpp"

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace dunlin;
using namespace dunlin::journal;
using test::Boot;
using test::Bytes;
using test::MemoryDevice;

constexpr std::size_t kDeviceBytes = 8192;
constexpr std::size_t kBankBytes = kDeviceBytes / 2;

bool begins_with(const std::vector<test::Recovered>& all, const std::vector<test::Recovered>& first) {
    const auto same = [](const test::Recovered& a, const test::Recovered& b) {
        return a.kind == b.kind && a.sequence == b.sequence && a.text == b.text;
    };
    return all.size() >= first.size() && std::equal(first.begin(), first.end(), all.begin(), same);
}

void recover(std::span<const std::byte> content) {
    MemoryDevice device{kDeviceBytes};
    device.overwrite(0, content);
    Boot boot{device, kBufferBytesMin};
    const Status status = boot.open();
    DUNLIN_ASSERT((status == Status::ok) == (boot.journal.state() == State::ready));
    for (const test::Recovered& record : boot.recovered) static_cast<void>(decode_format_info(test::bytes_of(record.text)));
    if (status != Status::ok || boot.journal.needs_checkpoint() || !boot.append("one more").ok()) return;
    boot.drain();

    Boot again{device, kBufferBytesMin};
    if (again.open() != Status::ok) return;  // an enemy's later record may contradict ours; it must only not be believed
    DUNLIN_ASSERT(begins_with(again.recovered, boot.recovered));
}

void make_right(std::span<std::byte> bank) {
    BankHeader header;
    for (std::size_t slot = kBankHeaderBytes; slot > 0;) {
        slot -= kHeaderSlotBytes;
        std::memcpy(&header, bank.data() + slot, sizeof header);
        if (slot > 0 && header.magic == 0) continue;
        header.magic = BankHeader::kMagic;
        header.version = kFormatVersion;
        header.bank_bytes = kBankBytes;
        header.record_align = std::uint32_t{8} << header.record_align % 4;
        write_bank_header(header, bank.subspan(slot, kHeaderSlotBytes));
    }
    if (read_bank_header(bank.first(kBankHeaderBytes), header) != BankHeaderKind::valid) return;
    std::size_t at = kHeaderSectorBytes;
    RecordHead head;
    while (at + sizeof head <= bank.size()) {
        std::memcpy(&head, bank.data() + at, sizeof head);
        head.length %= kBufferBytesMin;
        const std::uint32_t bytes = record_bytes(head.length, header.record_align);
        if (at + bytes > bank.size()) return;
        head.crc = record_crc(head, bank.subspan(at + sizeof head, head.length), bank_seed(header));
        std::memcpy(bank.data() + at, &head, sizeof head);
        at += bytes;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes content(kDeviceBytes);
    std::ranges::copy(std::as_bytes(std::span(data, std::min(size, content.size()))), content.begin());
    recover(content);
    make_right(std::span(content).first(kBankBytes));
    make_right(std::span(content).last(kBankBytes));
    recover(content);
    return 0;
}
