#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::journal {

// How a device takes what is written to it.
//
// `erase_bytes` 0: a file or a card. Any byte can be written again.
// Otherwise NOR flash: what was erased reads as ones; a write clears bits of what is erased, in granules of `program_bytes` (8, 16,
// 32 or 64), each once; and what was programmed is erased in blocks of `erase_bytes`, a multiple of 512. A part whose blocks or
// granules are smaller has several of them taken for one.
struct Geometry {
    std::uint32_t erase_bytes = 0;
    std::uint8_t program_bytes = 0;

    [[nodiscard]] constexpr bool flash() const { return erase_bytes != 0; }
    [[nodiscard]] constexpr bool valid() const {
        return !flash() || (erase_bytes % 512 == 0 && program_bytes >= 8 && program_bytes <= 64 && std::has_single_bit(program_bytes));
    }
};

// What the journal asks of its block device: the seam as data. One operation is outstanding at a time.
//
// A device is a fixed run of bytes that reads back what was written. It may lose or tear (at any boundary) whatever was
// written after the last completed sync; what was synced before stays, also when a later write touches the same sector.
// Everything is written once, in ascending order, at multiples of 8 bytes, until the other bank has taken over; only on a file the
// three slots of a bank's header are written over when the bank is taken anew. On flash all that is written are whole granules, each
// once after it was erased, also where a loss of power has left one half programmed, or a block half erased.
struct DeviceOp {
    enum class Kind : std::uint8_t {
        read,   // fill `buffer` from `offset` on; anything shorter is a device error
        write,  // store `buffer` at `offset`
        sync,   // complete only when everything written before survives a loss of power; `buffer` is empty
        erase,  // flash alone: the erase block that begins at `offset`; `buffer` is empty
    };
    Kind kind = Kind::read;
    // Of a write: the operation after it is a sync. A device whose operations are dear to hand over (to another thread, over a bus) may
    // sync along with the write, and has nothing left to do then.
    bool sync_follows = false;
    std::uint32_t id = 0;           // given back in on_complete()
    std::uint64_t offset = 0;       // bytes from the start of the device
    std::span<std::byte> buffer{};  // the journal's own memory: stays put and unchanged until on_complete()
};

}  // namespace dunlin::journal
