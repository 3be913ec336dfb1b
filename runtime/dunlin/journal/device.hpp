#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::journal {

// What the journal asks of its block device: the seam as data. One operation is outstanding at a time.
//
// A device is a fixed run of bytes that reads back what was written. It may lose or tear (at any boundary) whatever was
// written after the last completed sync; what was synced before stays, also when a later write touches the same sector.
// Only the 64 bytes at the start of each bank are rewritten in place; everything else is written once, in ascending
// order, at multiples of 8 bytes, until the other bank has taken over.
struct DeviceOp {
    enum class Kind : std::uint8_t {
        read,   // fill `buffer` from `offset` on; anything shorter is a device error
        write,  // store `buffer` at `offset`
        sync,   // complete only when everything written before survives a loss of power; `buffer` is empty
    };
    Kind kind = Kind::read;
    std::uint32_t id = 0;           // given back in on_complete()
    std::uint64_t offset = 0;       // bytes from the start of the device
    std::span<std::byte> buffer{};  // the journal's own memory: stays put and unchanged until on_complete()
};

}  // namespace dunlin::journal
