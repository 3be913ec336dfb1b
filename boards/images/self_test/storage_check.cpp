#include "checks.hpp"
#include "report.hpp"
#include "start_journal.hpp"

#include <cortex_m/board.hpp>

#include <dunlin/journal/bank_header.hpp>

#include <dunlin_lwip/port.hpp>

#include <algorithm>
#include <array>

namespace self_test {
namespace {

using namespace dunlin;
using journal::DeviceOp;
namespace port = dunlin_lwip::port;

constexpr std::size_t kPieceBytes = 128;  // two of the largest granules
using Piece = std::array<std::byte, kPieceBytes>;

Status device(DeviceOp::Kind kind, std::uint64_t offset, std::span<std::byte> buffer = {}) {
    return port::perform({.kind = kind, .offset = offset, .buffer = buffer});
}

bool reads(std::uint64_t offset, const Piece& expected) {
    Piece read{};
    return device(DeviceOp::Kind::read, offset, read) == Status::ok && read == expected;
}

Piece pattern(std::uint32_t seed) {
    Piece piece;
    for (std::byte& each : piece) each = static_cast<std::byte>(seed += 0x9d);
    return piece;
}

// `at`: the last two blocks.
void check_device(std::uint64_t at, std::uint32_t block_bytes, bool flash) {
    Piece ones;
    ones.fill(std::byte{0xff});
    Piece first = pattern(1);
    Piece second = pattern(2);
    if (flash) {
        check(device(DeviceOp::Kind::erase, at) == Status::ok && device(DeviceOp::Kind::erase, at + block_bytes) == Status::ok,
              "storage: blocks are erased");
        check(reads(at, ones) && reads(at + 2 * block_bytes - kPieceBytes, ones), "storage: what was erased reads as ones");
    }
    const std::uint64_t last = at + block_bytes - kPieceBytes;
    check(device(DeviceOp::Kind::write, at, first) == Status::ok && device(DeviceOp::Kind::write, last, second) == Status::ok &&
              device(DeviceOp::Kind::write, last + kPieceBytes, first) == Status::ok && device(DeviceOp::Kind::sync, 0) == Status::ok,
          "storage: it takes what is written");
    check(reads(at, first) && reads(last, second) && reads(last + kPieceBytes, first), "storage: what was written is read back");
    if (flash) {
        check(device(DeviceOp::Kind::erase, at) == Status::ok && reads(at, ones) && reads(last, ones) && reads(last + kPieceBytes, first),
              "storage: a block is erased, and not its neighbour");
    }
}

// What a model of flash has to refuse: the journal would not be tried by it otherwise.
void check_strictness(std::uint64_t at, const port::Storage& storage) {
    Piece first = pattern(3);
    Piece second = pattern(4);
    const std::span<std::byte> granule = std::span(second).first(storage.geometry.program_bytes);
    check(device(DeviceOp::Kind::write, at, first) == Status::ok && device(DeviceOp::Kind::write, at, granule) == Status::device_error &&
              reads(at, first),
          "storage: no granule is written twice");
    check(device(DeviceOp::Kind::write, at + kPieceBytes + 1, granule) == Status::device_error &&
              device(DeviceOp::Kind::write, at + kPieceBytes, granule.first(granule.size() - 1)) == Status::device_error,
          "storage: no part of a granule is written");
    check(device(DeviceOp::Kind::erase, at + storage.geometry.program_bytes) == Status::device_error,
          "storage: nothing but whole blocks is erased");
    check(device(DeviceOp::Kind::read, storage.bytes - 1, granule) == Status::device_error &&
              device(DeviceOp::Kind::write, storage.bytes, granule) == Status::device_error,
          "storage: nothing is read or written beyond its end");
}

// As an argument says.
std::uint64_t number(std::string_view digits, unsigned base) {
    std::uint64_t value = 0;
    for (const char digit : digits) value = value * base + static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    return value;
}

void check_starts(std::uint64_t bytes, const journal::Geometry& geometry, std::uint64_t drawn) {
    const std::uint64_t resets = number(board::argument("resets"), 10);
    StartRecord before{};
    const StartRecord now = {.starts = 0, .drawn = drawn};
    StartRecord stored = now;
    check(note_start(bytes, geometry, before, stored) == Status::ok, "storage: a journal is opened, or formatted, and takes a record");
    tell("storage: this is start ", stored.starts, " of it");
    if (stored.starts <= resets) {
        board::print("storage: resetting the board\n");
        board::reset();
    }
    StartRecord again{};
    check(read_start(bytes, geometry, again) == Status::ok && again == stored, "storage: the journal gives the record back");
    if (before.starts > 0) check(before.drawn != drawn, "entropy: this start drew another number than the last one");
}

// So that the next image finds it as it leaves the factory.
void blank(std::uint64_t bytes, const port::Storage& storage) {
    const std::uint32_t erase_bytes = storage.geometry.erase_bytes;
    const std::uint64_t heads[] = {0, journal::bank_bytes_of(bytes, erase_bytes), journal::bank_bytes_of(storage.bytes, erase_bytes)};
    std::array<std::byte, journal::kHeaderSectorBytes> zeros{};
    bool good = true;
    for (const std::uint64_t head : heads) {
        const Status status = storage.geometry.flash() ? device(DeviceOp::Kind::erase, head) : device(DeviceOp::Kind::write, head, zeros);
        good = good && status == Status::ok;
    }
    good = good && device(DeviceOp::Kind::sync, 0) == Status::ok;
    check(good && look(bytes, storage.bytes, storage.geometry) == Status::blank, "storage: it is left blank");
}

}  // namespace

void check_storage(std::uint64_t drawn) {
    const port::Storage storage = port::storage();
    if (board::argument("storage") == "none") return;
    check(storage.bytes != 0, "storage: it is there, and works (storage=none: the board needs none)");
    if (storage.bytes == 0) return;
    const bool flash = storage.geometry.flash();
    const std::uint32_t block_bytes = flash ? storage.geometry.erase_bytes : 512;
    tell("storage: ", storage.bytes, " bytes");
    const bool good = storage.geometry.valid() && storage.bytes % block_bytes == 0 && storage.bytes >= 8 * std::uint64_t{block_bytes};
    check(good, "storage: its geometry is one that a journal takes");
    if (!good) return;
    const std::uint64_t at = storage.bytes - 2 * std::uint64_t{block_bytes};
    const Status found = look(at, storage.bytes, storage.geometry);
    const bool may_write = found == Status::ok || found == Status::blank || board::argument("erase") == "yes";
    check(may_write, "storage: it is blank, or holds a journal of the self-test, whole (erase=yes overwrites whatever it holds)");
    if (!may_write) return;
    check_device(at, block_bytes, flash);
    if (board::argument("strict") == "yes") check_strictness(at, storage);
    const std::string_view instead = board::argument("drawn");
    check_starts(at, storage.geometry, instead.empty() ? drawn : number(instead, 16));
    if (board::argument("keep") != "yes") blank(at, storage);
}

}  // namespace self_test
