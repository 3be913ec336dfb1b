#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dunlin::sim {

// What becomes of unsynced writes in a crash.
enum class Unsynced : std::uint8_t {
    any,   // each arrives whole, not at all, or in part
    lost,  // none arrives
    torn,  // each arrives in part
    kept,  // all arrive: the process is gone, and the machine goes on
};

// A block device that knows what was synced. Reads see every write. A crash keeps all that was synced; each write since
// then arrives whole, not at all, or in part: cut at multiples of `sector_bytes` on the device, each piece kept or lost
// by itself, as the generator draws. While it is `full`, every write fails with device_full and stores nothing.
class Disk {
  public:
    Disk(std::size_t bytes, std::uint64_t seed);

    // Carries the operation out at once (the caller adds latency). Reports how many bytes were read in `bytes`.
    Status run(const journal::DeviceOp& op, std::size_t& bytes);
    void crash(Unsynced fate = Unsynced::any);
    void wipe();                                                       // all ones, as erased flash
    [[nodiscard]] std::span<std::byte> content() { return current_; }  // as a read finds it; for tests that rot or inspect it
    [[nodiscard]] std::span<const std::byte> content() const { return current_; }
    [[nodiscard]] std::span<const std::byte> synced() const { return synced_; }  // what a crash keeps at least
    // All that it holds, to put it back after a wipe. Both only while nothing is unsynced.
    [[nodiscard]] std::vector<std::byte> image() const { return synced_; }
    void restore(std::vector<std::byte> image);

    // A bit that flipped while nobody looked.
    struct Rot {
        std::size_t offset = 0;
        std::byte mask{};
        std::byte now{};  // the byte, with it
    };
    // In what was synced, and has something behind it in its half of the device that was synced later: a journal must notice it
    // there, if it still needs the byte. Nothing: there is no such place. Only after a crash, as the next.
    [[nodiscard]] std::optional<Rot> rot_middle(std::uint64_t draw);
    // In what the last crash kept of unsynced writes, or else right behind what is on the disk: a journal must not care. What an
    // earlier crash kept may have been read and synced since, and then a journal has promised it.
    [[nodiscard]] std::optional<Rot> rot_tail(std::uint64_t draw);
    void mend(const Rot& rot);  // flips it back, unless the byte was written again

    [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
    [[nodiscard]] std::uint64_t torn() const { return torn_; }  // writes that arrived in part
    [[nodiscard]] std::uint64_t lost() const { return lost_; }  // that did not arrive

    std::size_t sector_bytes = 512;
    bool full = false;

  private:
    struct Write {
        std::size_t offset;  // on the device
        std::size_t place;   // of its bytes in written_
        std::size_t length;
    };
    struct Range {
        std::size_t offset = 0;
        std::size_t length = 0;
        std::uint64_t sync = 0;  // the sync that made it durable
    };
    static constexpr std::size_t kRemembered = 64;

    [[nodiscard]] std::size_t keep_part(const Write& write);
    void remember(const Range& range);
    void settle_arrived();
    [[nodiscard]] bool has_later_behind(const Range& range) const;
    [[nodiscard]] Rot flip(std::size_t offset, std::uint64_t draw);

    std::vector<std::byte> synced_;
    std::vector<std::byte> current_;
    std::vector<Write> unsynced_;
    std::vector<std::byte> written_;               // the bytes of unsynced writes, one after the other
    std::array<Range, kRemembered> remembered_{};  // the last writes that were synced
    std::vector<Range> arrived_;                   // what the last crash kept of unsynced writes, until the next sync
    Range tail_{};                                 // the last write that is on the disk, unless arrived_ has a later one
    Random random_;
    std::uint64_t ranges_ = 0;  // ever remembered
    std::uint64_t syncs_ = 0;
    std::uint64_t torn_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace dunlin::sim
