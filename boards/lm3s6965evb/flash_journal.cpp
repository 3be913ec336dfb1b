#include <cortex_m/registers.hpp>
#include <lm3s6965evb/clock.hpp>
#include <lm3s6965evb/flash_journal.hpp>

#include <memory_map.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace lm3s6965::flash_journal {
namespace {

using dunlin::Status;

constexpr std::uintptr_t kAddress = kFlashControl + 0x000;
constexpr std::uintptr_t kData = kFlashControl + 0x004;
constexpr std::uintptr_t kControl = kFlashControl + 0x008;
constexpr std::uintptr_t kRawInterrupts = kFlashControl + 0x00c;
constexpr std::uintptr_t kInterruptClear = kFlashControl + 0x014;
constexpr std::uintptr_t kMicrosecond = kSystemControl + 0x140;

constexpr std::uint32_t kKey = 0xa442U << 16U;
constexpr std::uint32_t kWrite = 1U << 0U;  // each of the two stays set until it is done
constexpr std::uint32_t kErase = 1U << 1U;
constexpr std::uint32_t kRefused = 1U << 0U;               // of the interrupts: the page is protected
constexpr std::uint32_t kTicksMax = 500'000U * kClockMhz;  // twenty times what a page takes

static_assert(kJournalFlash % kGeometry.erase_bytes == 0 && kJournalFlashBytes % kGeometry.erase_bytes == 0);

Status run(std::uint32_t operation, std::uint32_t address) {
    board::reg(kMicrosecond) = kClockMhz - 1;
    board::reg(kInterruptClear) = kRefused;
    board::reg(kAddress) = address;
    board::reg(kControl) = kKey | operation;
    const std::uint32_t begun = ticks();
    while ((board::reg(kControl) & operation) != 0) {
        if (ticks() - begun > kTicksMax) return Status::device_error;
    }
    return (board::reg(kRawInterrupts) & kRefused) == 0 ? Status::ok : Status::device_error;
}

const std::byte* at(std::size_t offset) { return reinterpret_cast<const std::byte*>(kJournalFlash + offset); }

}  // namespace

bool found() {
    constexpr auto kPattern = static_cast<std::uint32_t>(kJournalFlash);
    board::reg(kAddress) = kPattern;
    return board::reg(kAddress) == kPattern;
}

void read(std::size_t offset, std::span<std::byte> to) { std::copy_n(at(offset), to.size(), to.begin()); }

Status write(std::size_t offset, std::span<const std::byte> bytes) {
    for (std::size_t done = 0; done < bytes.size(); done += sizeof(std::uint32_t)) {
        std::uint32_t word = 0;
        std::memcpy(&word, &bytes[done], sizeof word);
        board::reg(kData) = word;
        if (run(kWrite, static_cast<std::uint32_t>(kJournalFlash + offset + done)) != Status::ok) return Status::device_error;
    }
    return std::equal(bytes.begin(), bytes.end(), at(offset)) ? Status::ok : Status::device_error;
}

Status erase(std::size_t offset) {
    if (run(kErase, static_cast<std::uint32_t>(kJournalFlash + offset)) != Status::ok) return Status::device_error;
    const auto erased = [](std::byte each) { return each == std::byte{0xff}; };
    return std::all_of(at(offset), at(offset) + kGeometry.erase_bytes, erased) ? Status::ok : Status::device_error;
}

}  // namespace lm3s6965::flash_journal
