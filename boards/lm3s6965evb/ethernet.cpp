#include <cortex_m/registers.hpp>
#include <cortex_m/word_fifo.hpp>
#include <lm3s6965evb/ethernet.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace lm3s6965 {
namespace {

constexpr std::uintptr_t kRawInterrupts = kEthernet + 0x00;
constexpr std::uintptr_t kInterruptMask = kEthernet + 0x04;
constexpr std::uintptr_t kReceiveControl = kEthernet + 0x08;
constexpr std::uintptr_t kTransmitControl = kEthernet + 0x0c;
constexpr std::uintptr_t kData = kEthernet + 0x10;
constexpr std::uintptr_t kAddressLow = kEthernet + 0x14;
constexpr std::uintptr_t kAddressHigh = kEthernet + 0x18;
constexpr std::uintptr_t kThreshold = kEthernet + 0x1c;
constexpr std::uintptr_t kFrames = kEthernet + 0x34;
constexpr std::uintptr_t kTransmitRequest = kEthernet + 0x38;

constexpr std::uint32_t kFrameReceived = 1U << 0U;
constexpr std::uint32_t kReceive = 1U << 0U;
constexpr std::uint32_t kRefuseBroken = 1U << 3U;
constexpr std::uint32_t kResetFifo = 1U << 4U;
constexpr std::uint32_t kTransmitPadCheckDuplex = 1U << 0U | 1U << 1U | 1U << 2U | 1U << 4U;  // pads and adds the check sequence
constexpr std::uint32_t kOnRequest = 0x3f;  // a threshold: a frame leaves when it is asked to, not when some of it is there
constexpr std::uint32_t kSend = 1U << 0U;   // set until the frame has left
constexpr std::uint32_t kFrameCount = 0x3f;

constexpr std::uint32_t kFramesMax = 31;
constexpr std::uint32_t kFifoBytes = 2048;
constexpr std::uint32_t kLengthBytes = 2;  // before a frame in the FIFO; with itself and the check sequence when it was received
constexpr std::uint32_t kCheckBytes = 4;
constexpr std::uint32_t kHeaderBytes = dunlin_lwip::port::kFrameBytesMin;
constexpr std::size_t kAddressBytes = 6;

bool open = false;
dunlin_lwip::port::MacAddress own_address;
// The oldest frame, whose two first words have been taken out of the FIFO: its length (0: none has) and its destination.
std::uint32_t waiting_bytes = 0;
std::array<std::byte, kAddressBytes> waiting_destination;
std::uint32_t missing = 0;  // bytes of the frame that is being filled
board::WordWriter<kData> outgoing;

bool fifo_has_frame() { return (board::reg(kFrames) & kFrameCount) != 0; }

void start_receiver() {
    board::reg(kReceiveControl) = kRefuseBroken;
    board::reg(kReceiveControl) = kRefuseBroken | kResetFifo;
    board::reg(kReceiveControl) = kRefuseBroken | kReceive;
    waiting_bytes = 0;
}

std::uint32_t take_word() { return board::reg(kData); }

// Words of a received frame behind the two first.
std::uint32_t words_behind(std::uint32_t bytes) {
    return (kLengthBytes + bytes + kCheckBytes + board::kWordBytes - 1) / board::kWordBytes - 2;
}

bool is_for_us(const std::array<std::byte, kAddressBytes>& destination) {
    const auto all_ones = [](std::byte each) { return each == std::byte{0xff}; };
    return std::memcmp(destination.data(), own_address.data(), kAddressBytes) == 0 || std::ranges::all_of(destination, all_ones);
}

// Takes the beginning of the next frame out of the FIFO, and the whole of one that nobody wants.
void begin_next() {
    const std::uint32_t first = take_word();
    const std::uint32_t all = first & 0xffffU;
    if (all < kLengthBytes + kCheckBytes || all > kFifoBytes) return start_receiver();  // no length: where a frame begins is lost
    const std::uint32_t second = take_word();
    const std::array<std::uint16_t, 3> halves{static_cast<std::uint16_t>(first >> 16U), static_cast<std::uint16_t>(second),
                                              static_cast<std::uint16_t>(second >> 16U)};
    std::memcpy(waiting_destination.data(), halves.data(), kAddressBytes);
    const std::uint32_t bytes = all - kLengthBytes - kCheckBytes;
    if (bytes >= kHeaderBytes && bytes <= dunlin_lwip::port::kFrameBytesMax && is_for_us(waiting_destination)) {
        waiting_bytes = bytes;
    } else {
        board::take_words(kData, words_behind(bytes), {});
    }
}

}  // namespace

void clear_frame_interrupt() { board::reg(kRawInterrupts) = kFrameReceived; }

bool holds_frame() { return waiting_bytes != 0 || (open && fifo_has_frame()); }

}  // namespace lm3s6965

namespace dunlin_lwip::port {

bool ethernet_open(const MacAddress& address) {
    using namespace lm3s6965;
    const auto byte = [&address](std::size_t i, std::uint32_t shift) { return std::uint32_t{address[i]} << shift; };
    open = false;
    missing = 0;
    board::reg(kInterruptMask) = 0;
    // What was received before a reset is read out, for resetting the FIFO alone would leave QEMU's, where it is full, as it was for ever.
    board::reg(kReceiveControl) = kRefuseBroken;
    for (std::uint32_t words = kFramesMax * kFifoBytes / board::kWordBytes; words > 0 && fifo_has_frame(); --words)
        static_cast<void>(take_word());

    own_address = address;
    board::reg(kAddressLow) = byte(0, 0) | byte(1, 8) | byte(2, 16) | byte(3, 24);
    board::reg(kAddressHigh) = byte(4, 0) | byte(5, 8);
    board::reg(kThreshold) = kOnRequest;
    board::reg(kTransmitControl) = kTransmitPadCheckDuplex;
    start_receiver();
    clear_frame_interrupt();
    board::reg(kInterruptMask) = kFrameReceived;
    open = board::reg(kAddressHigh) == (byte(4, 0) | byte(5, 8));
    return open;
}

std::size_t frame_waiting() {
    using namespace lm3s6965;
    for (std::uint32_t frame = 0; frame < kFramesMax && waiting_bytes == 0 && holds_frame(); ++frame) begin_next();
    return waiting_bytes;
}

void read_frame(std::span<std::byte> to) {
    using namespace lm3s6965;
    if (frame_waiting() == 0) return;
    to = to.first(std::min<std::size_t>(to.size(), waiting_bytes));
    const std::size_t from_destination = std::min(to.size(), kAddressBytes);
    std::copy_n(waiting_destination.begin(), from_destination, to.begin());
    board::take_words(kData, words_behind(waiting_bytes), to.subspan(from_destination));
    waiting_bytes = 0;
}

bool begin_frame(std::size_t bytes) {
    using namespace lm3s6965;
    DUNLIN_ASSERT(bytes >= kHeaderBytes && bytes <= kFrameBytesMax);
    DUNLIN_ASSERT(missing == 0);
    if (!open || (board::reg(kTransmitRequest) & kSend) != 0) return false;
    missing = static_cast<std::uint32_t>(bytes);
    outgoing.begin(missing - kHeaderBytes, kLengthBytes);
    return true;
}

void append_frame(std::span<const std::byte> piece) {
    using namespace lm3s6965;
    DUNLIN_ASSERT(piece.size() <= missing);
    if (piece.empty()) return;
    missing -= static_cast<std::uint32_t>(piece.size());
    outgoing.put(piece);
    if (missing != 0) return;
    outgoing.end();
    board::reg(kTransmitRequest) = kSend;
}

}  // namespace dunlin_lwip::port
