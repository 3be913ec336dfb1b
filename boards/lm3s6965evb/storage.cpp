// The storage: the part's own flash where it has a flash controller, which QEMU's has not; otherwise the first bytes of the SD card.
#include <lm3s6965evb/flash_journal.hpp>
#include <lm3s6965evb/sd_card.hpp>

#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

#include <algorithm>
#include <cstdint>

namespace lm3s6965 {
namespace {

using dunlin::Status;
using dunlin::journal::DeviceOp;
using dunlin_lwip::port::Storage;

// Of a card: more than the biggest journal of a node that fits the part, and read in a second.
constexpr std::uint32_t kCardBytesMax = 256 * 1024;

enum class Device : std::uint8_t { not_looked_for, none, flash, card };
Device device = Device::not_looked_for;
std::uint32_t device_bytes = 0;

void look_for_device() {
    if (device != Device::not_looked_for) return;
    if (flash_journal::found()) {
        device = Device::flash;
        device_bytes = kJournalFlashBytes;
        return;
    }
    device_bytes = std::min<std::uint32_t>(sd_card::open(), kCardBytesMax / sd_card::kSectorBytes) * sd_card::kSectorBytes;
    device = device_bytes == 0 ? Device::none : Device::card;
}

Status perform_on_flash(const DeviceOp& op, std::size_t offset) {
    switch (op.kind) {
        case DeviceOp::Kind::read: flash_journal::read(offset, op.buffer); break;
        case DeviceOp::Kind::write: return flash_journal::write(offset, op.buffer);
        case DeviceOp::Kind::erase: return flash_journal::erase(offset);
        case DeviceOp::Kind::sync: break;
    }
    return Status::ok;
}

// One sector of the card, which is written back before another takes its place, and at a sync: appends of a few bytes cost no more.
constexpr std::uint32_t kNoSector = 0xffff'ffff;
sd_card::Sector sector;
std::uint32_t sector_number = kNoSector;
bool sector_changed = false;

// A bit that was lost on the wire to the card costs another attempt, not the node: sectors are read and written whole.
template <class Transfer>
Status repeated(Transfer transfer) {
    constexpr int kAttempts = 3;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (transfer() == Status::ok) return Status::ok;
    }
    return Status::device_error;
}

Status write_back() {
    if (sector_changed && repeated([] { return sd_card::write(sector_number, sector); }) != Status::ok) return Status::device_error;
    sector_changed = false;
    return Status::ok;
}

Status hold(std::uint32_t number) {
    if (number == sector_number) return Status::ok;
    if (write_back() != Status::ok) return Status::device_error;
    sector_number = kNoSector;
    if (repeated([number] { return sd_card::read(number, sector); }) != Status::ok) return Status::device_error;
    sector_number = number;
    return Status::ok;
}

Status perform_on_card(const DeviceOp& op, std::size_t offset) {
    if (op.kind == DeviceOp::Kind::sync) return write_back();
    if (op.kind == DeviceOp::Kind::erase) return Status::device_error;
    for (std::span<std::byte> rest = op.buffer; !rest.empty();) {
        if (hold(static_cast<std::uint32_t>(offset / sd_card::kSectorBytes)) != Status::ok) return Status::device_error;
        const auto place = std::span(sector).subspan(offset % sd_card::kSectorBytes);
        const std::size_t bytes = std::min(rest.size(), place.size());
        if (op.kind == DeviceOp::Kind::read) {
            std::copy_n(place.begin(), bytes, rest.begin());
        } else {
            std::copy_n(rest.begin(), bytes, place.begin());
            sector_changed = true;
        }
        offset += bytes;
        rest = rest.subspan(bytes);
    }
    return Status::ok;
}

}  // namespace
}  // namespace lm3s6965

namespace dunlin_lwip::port {

Storage storage() {
    using namespace lm3s6965;
    look_for_device();
    return {.bytes = device_bytes, .geometry = device == Device::flash ? flash_journal::kGeometry : dunlin::journal::Geometry{}};
}

dunlin::Status perform(const dunlin::journal::DeviceOp& op) {
    using namespace lm3s6965;
    look_for_device();
    if (device == Device::none || op.offset > device_bytes || op.buffer.size() > device_bytes - op.offset) return Status::device_error;
    const auto offset = static_cast<std::size_t>(op.offset);
    return device == Device::flash ? perform_on_flash(op, offset) : perform_on_card(op, offset);
}

}  // namespace dunlin_lwip::port
