// LAN9118 (SMSC data sheet, "LAN9118 High-Performance Single-Chip 10/100 Non-PCI Ethernet Controller", §5).
#include <cortex_m/registers.hpp>
#include <cortex_m/word_fifo.hpp>
#include <mps2/lan9118.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_lwip/port.hpp>

#include <memory_map.hpp>

#include <algorithm>
#include <cstring>

namespace mps2 {
namespace {

constexpr std::uintptr_t kRxData = kEthernet + 0x00;
constexpr std::uintptr_t kTxData = kEthernet + 0x20;
constexpr std::uintptr_t kRxStatus = kEthernet + 0x40;
constexpr std::uintptr_t kRxStatusPeek = kEthernet + 0x44;
constexpr std::uintptr_t kIrqCfg = kEthernet + 0x54;
constexpr std::uintptr_t kIntSts = kEthernet + 0x58;
constexpr std::uintptr_t kIntEn = kEthernet + 0x5c;
constexpr std::uintptr_t kByteTest = kEthernet + 0x64;
constexpr std::uintptr_t kFifoInt = kEthernet + 0x68;
constexpr std::uintptr_t kRxCfg = kEthernet + 0x6c;
constexpr std::uintptr_t kTxCfg = kEthernet + 0x70;
constexpr std::uintptr_t kHwCfg = kEthernet + 0x74;
constexpr std::uintptr_t kRxFifoInf = kEthernet + 0x7c;
constexpr std::uintptr_t kTxFifoInf = kEthernet + 0x80;
constexpr std::uintptr_t kPmtCtrl = kEthernet + 0x84;
constexpr std::uintptr_t kMacCommand = kEthernet + 0xa4;
constexpr std::uintptr_t kMacData = kEthernet + 0xa8;

constexpr std::uint32_t kByteTestValue = 0x8765'4321;
constexpr std::uint32_t kSoftReset = 1;
constexpr std::uint32_t kReady = 1;                               // of PMT_CTRL
constexpr std::uint32_t kHwCfgValue = 1U << 20U | 5U << 16U;      // must be one; 5 KB of the memory are for sending
constexpr std::uint32_t kIrqCfgValue = 1U << 8U | 1U << 4U | 1U;  // on, active high, push-pull
constexpr std::uint32_t kFrameReceived = 1U << 3U;                // RSFL, of INT_STS and INT_EN
constexpr std::uint32_t kTxOn = 1U << 1U | 1U << 2U;              // and a full status FIFO stops nothing: nobody reads it
constexpr std::uint32_t kFrameBroken = 1U << 15U;                 // of a receive status
constexpr std::uint32_t kFirstAndLast = 1U << 13U | 1U << 12U;

// The MAC's own registers, behind a command register.
constexpr std::uint32_t kMacCr = 1;
constexpr std::uint32_t kMacAddressHigh = 2;
constexpr std::uint32_t kMacAddressLow = 3;
constexpr std::uint32_t kMiiAccess = 6;
constexpr std::uint32_t kMiiData = 7;
constexpr std::uint32_t kBusy = 1U << 31U;
constexpr std::uint32_t kMacRead = 1U << 30U;
constexpr std::uint32_t kFullDuplexReceiveSend = 1U << 20U | 1U << 3U | 1U << 2U;

// And those of the PHY behind them.
constexpr std::uint32_t kPhyControl = 0;
constexpr std::uint32_t kPhyAdvertise = 4;
constexpr std::uint32_t kPhyAddress = 1U << 11U;
constexpr std::uint32_t kMiiWrite = 2;
constexpr std::uint32_t kMiiBusy = 1;
constexpr std::uint32_t kFullDuplexOnly = 0x0141;  // 100 and 10 Mbit/s
constexpr std::uint32_t kNegotiateAnew = 0x1200;

constexpr std::uint32_t kCheckSequenceBytes = 4;
constexpr std::uint32_t kCommandBytes = 8;
constexpr std::uint32_t kPollsMax = 1'000'000;  // of a bit that comes within milliseconds

bool open = false;
std::uint32_t missing = 0;  // bytes of the frame that is being filled
board::WordWriter<kTxData> outgoing;

template <class Condition>
bool wait_until(Condition condition) {
    for (std::uint32_t poll = 0; poll < kPollsMax; ++poll) {
        if (condition()) return true;
    }
    return false;
}

bool mac_idle() {
    return wait_until([] { return (board::reg(kMacCommand) & kBusy) == 0; });
}

bool write_mac(std::uint32_t number, std::uint32_t value) {
    if (!mac_idle()) return false;
    board::reg(kMacData) = value;
    board::reg(kMacCommand) = kBusy | number;
    return mac_idle();
}

bool phy_idle() {
    for (std::uint32_t poll = 0; poll < kPollsMax; ++poll) {
        board::reg(kMacCommand) = kBusy | kMacRead | kMiiAccess;
        if (!mac_idle()) return false;  // or a controller that hangs would be waited for kPollsMax times
        if ((board::reg(kMacData) & kMiiBusy) == 0) return true;
    }
    return false;
}

bool write_phy(std::uint32_t number, std::uint32_t value) {
    return phy_idle() && write_mac(kMiiData, value) && write_mac(kMiiAccess, kPhyAddress | number << 6U | kMiiWrite | kMiiBusy) &&
           phy_idle();
}

bool reset_controller() {
    board::reg(kHwCfg) = kSoftReset;
    return wait_until([] { return (board::reg(kHwCfg) & kSoftReset) == 0; }) &&
           wait_until([] { return (board::reg(kPmtCtrl) & kReady) != 0; });
}

// Takes the oldest frame out of the FIFOs, and its first bytes to `to`.
void take_frame(std::span<std::byte> to) {
    const std::uint32_t status = board::reg(kRxStatus);
    board::take_words(kRxData, (((status >> 16U) & 0x3fffU) + 3) / 4, to);
}

}  // namespace

void clear_frame_interrupt() {
    if (open) board::reg(kIntSts) = kFrameReceived;
}

}  // namespace mps2

namespace dunlin_lwip::port {

bool ethernet_open(const MacAddress& address) {
    using namespace mps2;
    open = false;
    missing = 0;
    if (board::reg(kByteTest) != kByteTestValue || !reset_controller()) return false;
    const auto byte = [&address](std::size_t i, std::uint32_t shift) { return std::uint32_t{address[i]} << shift; };
    board::reg(kHwCfg) = kHwCfgValue;
    board::reg(kRxCfg) = 0;
    board::reg(kFifoInt) = 0;
    board::reg(kTxCfg) = kTxOn;
    board::reg(kIntSts) = 0xffff'ffff;
    board::reg(kIntEn) = kFrameReceived;
    board::reg(kIrqCfg) = kIrqCfgValue;
    open = write_mac(kMacAddressHigh, byte(4, 0) | byte(5, 8)) &&
           write_mac(kMacAddressLow, byte(0, 0) | byte(1, 8) | byte(2, 16) | byte(3, 24)) && write_phy(kPhyAdvertise, kFullDuplexOnly) &&
           write_phy(kPhyControl, kNegotiateAnew) && write_mac(kMacCr, kFullDuplexReceiveSend);
    return open;
}

std::size_t frame_waiting() {
    using namespace mps2;
    while (open && ((board::reg(kRxFifoInf) >> 16U) & 0xffU) != 0) {
        const std::uint32_t status = board::reg(kRxStatusPeek);
        const std::uint32_t bytes = (status >> 16U) & 0x3fffU;
        if ((status & kFrameBroken) == 0 && bytes > kCheckSequenceBytes) return bytes - kCheckSequenceBytes;
        take_frame({});
    }
    return 0;
}

void read_frame(std::span<std::byte> to) {
    if (const std::size_t bytes = frame_waiting(); bytes != 0) mps2::take_frame(to.first(std::min(to.size(), bytes)));
}

bool begin_frame(std::size_t bytes) {
    using namespace mps2;
    DUNLIN_ASSERT(bytes >= kFrameBytesMin && bytes <= kFrameBytesMax);
    DUNLIN_ASSERT(missing == 0);
    const auto length = static_cast<std::uint32_t>(bytes);
    if (!open || (board::reg(kTxFifoInf) & 0xffffU) < kCommandBytes + (length + 3) / 4 * 4) return false;
    board::reg(kTxData) = kFirstAndLast | length;
    board::reg(kTxData) = length;
    missing = length;
    outgoing.begin();
    return true;
}

void append_frame(std::span<const std::byte> piece) {
    using namespace mps2;
    DUNLIN_ASSERT(piece.size() <= missing);
    missing -= static_cast<std::uint32_t>(piece.size());
    outgoing.put(piece);
    if (missing == 0) outgoing.end();
}

}  // namespace dunlin_lwip::port
