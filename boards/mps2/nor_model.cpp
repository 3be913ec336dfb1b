// The storage: NOR flash, modelled in the first bytes of the PSRAM, which QEMU backs with a file: then it survives a reset and the death of
// the guest. On a real board it lasts as long as the power; after that it is blank, and nothing is believed of it.
//
// As strict as flash is: what is erased reads as ones, writing clears bits, and a granule is written once between two erases, whole; also
// what is written as ones is written. Whoever breaks that gets device_error, and nothing is changed.
#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace mps2 {
namespace {

using dunlin::Status;
using dunlin::journal::DeviceOp;

constexpr dunlin::journal::Geometry kGeometry{.erase_bytes = 4096, .program_bytes = 8};
constexpr std::size_t kBytes = 256 * 1024;
constexpr std::uint32_t kInitialised = 0x464e'4f52;  // a new file is all zeros, which no erased flash is

struct Flash {
    std::array<std::byte, kBytes> cells;
    std::array<bool, kBytes / kGeometry.program_bytes> programmed;
    std::uint32_t initialised;
};

Flash& flash() { return *reinterpret_cast<Flash*>(kPsram); }

void erase(std::size_t from, std::size_t bytes) {
    std::ranges::fill(std::span(flash().cells).subspan(from, bytes), std::byte{0xff});
    std::ranges::fill(std::span(flash().programmed).subspan(from / kGeometry.program_bytes, bytes / kGeometry.program_bytes), false);
}

void initialise() {
    if (flash().initialised == kInitialised) return;
    erase(0, kBytes);
    flash().initialised = kInitialised;
}

Status program(std::size_t at, std::span<const std::byte> bytes) {
    constexpr std::size_t kGranule = kGeometry.program_bytes;
    if (at % kGranule != 0 || bytes.size() % kGranule != 0) return Status::device_error;
    const auto granules = std::span(flash().programmed).subspan(at / kGranule, bytes.size() / kGranule);
    if (std::ranges::find(granules, true) != granules.end()) return Status::device_error;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        granules[i / kGranule] = true;  // first: where power is lost here, it was written to
        flash().cells[at + i] &= bytes[i];
    }
    return Status::ok;
}

}  // namespace
}  // namespace mps2

namespace dunlin_lwip::port {

Storage storage() {
    mps2::initialise();
    return {.bytes = mps2::kBytes, .geometry = mps2::kGeometry};
}

dunlin::Status perform(const dunlin::journal::DeviceOp& op) {
    using mps2::DeviceOp, dunlin::Status;
    mps2::initialise();
    if (op.kind == DeviceOp::Kind::sync) return Status::ok;
    const std::size_t bytes = op.kind == DeviceOp::Kind::erase ? mps2::kGeometry.erase_bytes : op.buffer.size();
    if (op.offset > mps2::kBytes || bytes > mps2::kBytes - op.offset) return Status::device_error;
    const auto at = static_cast<std::size_t>(op.offset);
    switch (op.kind) {
        case DeviceOp::Kind::read: std::ranges::copy(std::span(mps2::flash().cells).subspan(at, bytes), op.buffer.begin()); break;
        case DeviceOp::Kind::write: return mps2::program(at, op.buffer);
        case DeviceOp::Kind::erase:
            if (at % mps2::kGeometry.erase_bytes != 0) return Status::device_error;
            mps2::erase(at, bytes);
            break;
        case DeviceOp::Kind::sync: break;
    }
    return Status::ok;
}

}  // namespace dunlin_lwip::port
