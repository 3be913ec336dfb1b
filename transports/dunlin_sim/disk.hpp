#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dunlin::sim {

// A block device that knows what was synced. Reads see every write. A crash keeps all that was synced; each write since
// then arrives whole, not at all, or in part: cut at multiples of `sector_bytes` on the device, each piece kept or lost
// by itself, as the generator draws.
class Disk {
  public:
    Disk(std::size_t bytes, std::uint64_t seed);

    // Carries the operation out at once (the caller adds latency). Reports how many bytes were read in `bytes`.
    Status run(const journal::DeviceOp& op, std::size_t& bytes);
    void crash();
    void wipe();                                                                 // all ones, as erased flash
    [[nodiscard]] std::span<std::byte> content() { return current_; }            // for tests that rot or inspect it
    [[nodiscard]] std::span<const std::byte> synced() const { return synced_; }  // what a loss of power leaves for certain
    [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
    [[nodiscard]] std::uint64_t torn() const { return torn_; }  // writes that arrived in part

    std::size_t sector_bytes = 512;

  private:
    struct Write {
        std::size_t offset;  // on the device
        std::size_t place;   // of its bytes in written_
        std::size_t length;
    };
    void keep_part(const Write& write);

    std::vector<std::byte> synced_;
    std::vector<std::byte> current_;
    std::vector<Write> unsynced_;
    std::vector<std::byte> written_;  // the bytes of unsynced writes, one after the other
    Random random_;
    std::uint64_t syncs_ = 0;
    std::uint64_t torn_ = 0;
};

}  // namespace dunlin::sim
