#include <cortex_m/registers.hpp>
#include <lm3s6965evb/clock.hpp>
#include <lm3s6965evb/sd_card.hpp>
#include <lm3s6965evb/system_control.hpp>

#include <memory_map.hpp>

#include <initializer_list>
#include <numeric>

namespace lm3s6965::sd_card {
namespace {

using dunlin::Status;

// The synchronous serial port, an Arm PL022 (LM3S6965 data sheet, "Synchronous Serial Interface").
constexpr std::uintptr_t kFormat = kSsi + 0x00;
constexpr std::uintptr_t kControl = kSsi + 0x04;
constexpr std::uintptr_t kData = kSsi + 0x08;
constexpr std::uintptr_t kStatus = kSsi + 0x0c;
constexpr std::uintptr_t kPrescaler = kSsi + 0x10;
constexpr std::uint32_t kEightBits = 7;
constexpr std::uint32_t kEnable = 1U << 1U;
constexpr std::uint32_t kReceived = 1U << 2U;
constexpr std::uint32_t kSlow = 126;  // a divider: 397 kHz, until the card is awake
constexpr std::uint32_t kFast = 4;    // 12.5 MHz

constexpr std::uint32_t kPortPins = 1U << 2U | 1U << 4U | 1U << 5U;  // of port A: clock, from the card, to the card
constexpr std::uint32_t kDisplayUnselected = 1U << 3U;               // of port A: the display is on the same wires
constexpr std::uint32_t kCardUnselected = 1U << 0U;                  // of port D

constexpr std::uint8_t kGoIdle = 0;
constexpr std::uint8_t kSendInterfaceCondition = 8;
constexpr std::uint8_t kSendCapacity = 9;
constexpr std::uint8_t kSendStatus = 13;
constexpr std::uint8_t kSetBlockLength = 16;
constexpr std::uint8_t kReadBlock = 17;
constexpr std::uint8_t kWriteBlock = 24;
constexpr std::uint8_t kApplicationCommand = 55;
constexpr std::uint8_t kReadConditions = 58;
constexpr std::uint8_t kCheckSums = 59;
constexpr std::uint8_t kStartUp = 41;  // after kApplicationCommand

constexpr std::uint8_t kNothing = 0xff;
constexpr std::uint8_t kIdle = 0x01;            // an answer: asleep, and nothing wrong
constexpr std::uint8_t kUnknownCommand = 0x04;  // a bit of one
constexpr std::uint8_t kNoAnswer = 0x80;        // a bit that no answer has
constexpr std::uint8_t kDataBegins = 0xfe;
constexpr std::uint32_t kVoltageAndPattern = 0x1aa;
constexpr std::uint32_t kHighCapacity = 1U << 30U;
constexpr std::uint32_t kAnswerBytesMax = 10;
constexpr std::uint32_t kResetsMax = 10;

constexpr std::uint32_t kMillisecond = 1000 * kClockMhz;  // ticks
constexpr std::uint32_t kReadMax = 100 * kMillisecond;
constexpr std::uint32_t kWriteMax = 500 * kMillisecond;
constexpr std::uint32_t kWakeMax = 1000 * kMillisecond;

// The checksum of a command, CRC-7 (§4.5), goes on by a byte: x^7 is x^3 + 1.
constexpr std::uint32_t add_to_command_sum(std::uint32_t sum, std::uint32_t byte) {
    sum = sum << 1U ^ byte;
    sum ^= sum >> 4U ^ sum >> 7U;
    return (sum ^ sum << 3U) & 0x7fU;
}
constexpr std::uint32_t command_sum(std::initializer_list<std::uint32_t> bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint32_t{0}, add_to_command_sum);
}
static_assert(command_sum({0x40, 0, 0, 0, 0}) == 0x95 >> 1U && command_sum({0x48, 0, 0, 0x01, 0xaa}) == 0x87 >> 1U);  // §7.2.2

// The checksum of a block, CRC-16 (§4.5), goes on by a byte. Of a block and its checksum together it is 0.
constexpr std::uint16_t add_to_sum(std::uint16_t sum, std::uint8_t byte) {
    sum = static_cast<std::uint16_t>((sum << 8U | sum >> 8U) ^ byte);
    sum = static_cast<std::uint16_t>(sum ^ (sum & 0xffU) >> 4U);
    sum = static_cast<std::uint16_t>(sum ^ sum << 12U);
    return static_cast<std::uint16_t>(sum ^ (sum & 0xffU) << 5U);
}

bool high_capacity = false;  // sectors are numbered; otherwise their first bytes are

std::uint8_t exchange(std::uint8_t byte) {
    board::reg(kData) = byte;
    while ((board::reg(kStatus) & kReceived) == 0) {}  // the port itself clocks it in, whatever the card does
    return static_cast<std::uint8_t>(board::reg(kData));
}

void set_speed(std::uint32_t divider) {
    board::reg(kControl) = 0;
    board::reg(kFormat) = kEightBits;
    board::reg(kPrescaler) = divider;
    board::reg(kControl) = kEnable;
}

void unselect() {
    set_pins(kGpioD, kCardUnselected, true);
    exchange(kNothing);  // a card lets go of the wire with the next clock
}

// Whether the card says `byte` before `limit` ticks have passed.
bool says(std::uint8_t byte, std::uint32_t limit) {
    const std::uint32_t begun = ticks();
    do {
        if (exchange(kNothing) == byte) return true;
    } while (ticks() - begun < limit);
    return false;
}

// The card's answer, or kNoAnswer and more. Leaves the card selected: more may follow.
std::uint8_t command(std::uint8_t number, std::uint32_t argument) {
    unselect();
    set_pins(kGpioD, kCardUnselected, false);
    exchange(kNothing);
    std::uint32_t sum = 0;
    std::uint32_t byte = 0x40U | number;
    for (int left = 4; left >= 0; --left) {
        exchange(static_cast<std::uint8_t>(byte));
        sum = add_to_command_sum(sum, byte);
        byte = argument >> 24U;
        argument <<= 8U;
    }
    exchange(static_cast<std::uint8_t>(sum << 1U | 1U));
    std::uint8_t answer = kNothing;
    for (std::uint32_t i = 0; i < kAnswerBytesMax && (answer & kNoAnswer) != 0; ++i) answer = exchange(kNothing);
    return answer;
}

std::uint32_t take_word() {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8U | exchange(kNothing);
    return word;
}

Status take_block(std::span<std::byte> to) {
    if (!says(kDataBegins, kReadMax)) return Status::device_error;
    std::uint16_t sum = 0;
    for (std::byte& each : to) {
        each = std::byte{exchange(kNothing)};
        sum = add_to_sum(sum, std::to_integer<std::uint8_t>(each));
    }
    for (int i = 0; i < 2; ++i) sum = add_to_sum(sum, exchange(kNothing));
    return sum == 0 ? Status::ok : Status::device_error;
}

bool wake_up() {
    std::uint8_t answer = kNothing;
    for (std::uint32_t i = 0; i < kResetsMax && answer != kIdle; ++i) answer = command(kGoIdle, 0);
    if (answer != kIdle) return false;
    answer = command(kSendInterfaceCondition, kVoltageAndPattern);
    const bool version_2 = (answer & kUnknownCommand) == 0;
    if (version_2 && (take_word() & 0xfffU) != kVoltageAndPattern) return false;
    const std::uint32_t begun = ticks();
    do {
        command(kApplicationCommand, 0);
        answer = command(kStartUp, version_2 ? kHighCapacity : 0);
    } while (answer == kIdle && ticks() - begun < kWakeMax);
    if (answer != 0 || command(kCheckSums, 1) != 0 || (command(kReadConditions, 0) & ~kIdle) != 0) return false;
    high_capacity = (take_word() & kHighCapacity) != 0;
    return high_capacity || command(kSetBlockLength, kSectorBytes) == 0;
}

// From the card's CSD register (§5.3), whose bits are numbered downwards from 127.
std::uint32_t sectors() {
    std::array<std::byte, 16> csd{};
    if (command(kSendCapacity, 0) != 0 || take_block(csd) != Status::ok) return 0;
    const auto bits = [&csd](std::uint32_t highest, std::uint32_t count) {
        std::uint32_t value = 0;
        for (std::uint32_t bit = 127 - highest; bit < 127 - highest + count; ++bit) {
            value = value << 1U | (std::to_integer<std::uint32_t>(csd[bit / 8]) >> (7 - bit % 8) & 1U);
        }
        return value;
    };
    if (bits(127, 2) != 0) return (bits(69, 22) + 1) * 1024;
    const std::uint32_t block_shift = bits(83, 4);
    return (bits(73, 12) + 1) << (bits(49, 3) + 2 + block_shift - 9);
}

std::uint32_t address_of(std::uint32_t sector) { return high_capacity ? sector : sector * kSectorBytes; }

}  // namespace

std::uint32_t open() {
    drive_pins_high(kGpioD, kCardUnselected);
    drive_pins_high(kGpioA, kDisplayUnselected);
    give_pins_to_device(kGpioA, kPortPins);
    set_speed(kSlow);
    for (int i = 0; i < 10; ++i) exchange(kNothing);  // the card counts 74 clocks before it listens
    const std::uint32_t found = wake_up() ? sectors() : 0;
    unselect();
    set_speed(kFast);
    return found;
}

Status read(std::uint32_t sector, Sector& to) {
    const Status status = command(kReadBlock, address_of(sector)) == 0 ? take_block(to) : Status::device_error;
    unselect();
    return status;
}

Status write(std::uint32_t sector, const Sector& from) {
    constexpr std::uint8_t kAcceptedMask = 0x1f;
    constexpr std::uint8_t kAccepted = 0x05;
    bool good = command(kWriteBlock, address_of(sector)) == 0;
    if (good) {
        exchange(kNothing);
        exchange(kDataBegins);
        std::uint16_t sum = 0;
        for (const std::byte each : from) {
            exchange(std::to_integer<std::uint8_t>(each));
            sum = add_to_sum(sum, std::to_integer<std::uint8_t>(each));
        }
        exchange(static_cast<std::uint8_t>(sum >> 8U));
        exchange(static_cast<std::uint8_t>(sum));
        good = (exchange(kNothing) & kAcceptedMask) == kAccepted && says(kNothing, kWriteMax);
        good = good && command(kSendStatus, 0) == 0 && exchange(kNothing) == 0;
    }
    unselect();
    return good ? Status::ok : Status::device_error;
}

}  // namespace lm3s6965::sd_card
