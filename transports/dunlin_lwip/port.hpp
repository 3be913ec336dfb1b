#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/journal/device.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

// What a board provides so that a node runs on it: the functions of this namespace are declared here and defined by the board
// (boards/<board>, or a test's fake of one). They are called by one thread, never from an interrupt, but for now(), which may be called from
// both. None of them allocates. docs/porting.md goes through them one by one.
namespace dunlin_lwip::port {

// ---- Time ---------------------------------------------------------------------------------------------------------------
// Microseconds since power-on: never goes back, goes on while the core sleeps. Its rate is right within
// Options::clock_rate_bound_ppm; leases rest on that.
[[nodiscard]] dunlin::Instant now();

// Sleeps (WFI) until `wake` or an interrupt, whichever is first; may return early, must not return late by more than a millisecond. Returns at
// once where `wake` has passed or a received frame waits: one that came between the caller's last look and this call is not slept through.
// The same where `asked` is set, which an interrupt of the application may do to have the core awake; nullptr: none does.
void sleep_until(dunlin::Instant wake, const std::atomic<bool>* asked = nullptr);

// ---- Entropy ------------------------------------------------------------------------------------------------------------
// 64 bits that no other start of any node has had, this board's included: InstanceId, StorageId and the node's seed are made of them. Never 0.
[[nodiscard]] std::uint64_t random_nonzero_u64();
// Whether they rest on a source that cannot repeat itself, such as a generator in hardware. False: they may be those of an earlier start, so
// that a voter must not name a new journal after them: it would come back as one whose memory it has lost.
[[nodiscard]] bool has_entropy();

// ---- Ethernet -----------------------------------------------------------------------------------------------------------
using MacAddress = std::array<std::uint8_t, 6>;
inline constexpr std::size_t kFrameBytesMin = 14;  // its header; without the check sequence
inline constexpr std::size_t kFrameBytesMax = 1514;

// Starts the controller: full duplex, frames for `address` and broadcast are received. False: there is no such controller.
[[nodiscard]] bool ethernet_open(const MacAddress& address);
// Bytes of the oldest frame received, without its check sequence; 0: none waits. A frame that arrived broken is dropped here.
[[nodiscard]] std::size_t frame_waiting();
// Takes that frame out of the controller: its first `to.size()` bytes go to `to`, the rest is dropped. `to` may be empty.
void read_frame(std::span<std::byte> to);
// Begins a frame of `bytes` bytes (kFrameBytesMin..kFrameBytesMax), which append_frame() then fills, piece by piece, in order.
// False: the controller has no room for it; nothing has begun.
[[nodiscard]] bool begin_frame(std::size_t bytes);
void append_frame(std::span<const std::byte> piece);  // of any length; the last one sends the frame

// ---- Storage ------------------------------------------------------------------------------------------------------------
struct Storage {
    std::uint64_t bytes = 0;  // 0: the board has none
    dunlin::journal::Geometry geometry{};
};
[[nodiscard]] Storage storage();
// Does what `op` asks, before it returns: see DeviceOp for what each kind must guarantee, and what a loss of power may leave.
dunlin::Status perform(const dunlin::journal::DeviceOp& op);

}  // namespace dunlin_lwip::port
