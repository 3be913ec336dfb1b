#include "checks.hpp"
#include "report.hpp"

#include <cortex_m/board.hpp>

#include <dunlin_lwip/port.hpp>

#include <algorithm>
#include <array>

namespace self_test {
namespace {

using namespace dunlin;
namespace port = dunlin_lwip::port;
using Ipv4 = std::array<std::uint8_t, 4>;

constexpr Duration kAnswerMax = seconds{2};
constexpr int kAttempts = 5;  // a link needs seconds to come up
constexpr std::size_t kFrameBytes = 60;

// An ARP request or reply (RFC 826) as a frame.
struct Arp {
    port::MacAddress to{}, from{};
    std::array<std::uint8_t, 2> type{0x08, 0x06};
    std::array<std::uint8_t, 6> ethernet_for_ipv4{0, 1, 8, 0, 6, 4};
    std::array<std::uint8_t, 2> operation{};
    port::MacAddress sender{};
    Ipv4 sender_address{};
    port::MacAddress target{};
    Ipv4 target_address{};
    std::array<std::uint8_t, kFrameBytes - 42> padding{};
};
static_assert(sizeof(Arp) == kFrameBytes);
constexpr std::array<std::uint8_t, 2> kReply{0, 2};

// a.b.c.d; all zeros where it is none.
Ipv4 ipv4(std::string_view text) {
    Ipv4 address{};
    std::size_t part = 0;
    for (const char letter : text) {
        if (letter == '.') {
            if (++part == address.size()) return {};
        } else {
            address[part] = static_cast<std::uint8_t>(address[part] * 10 + (letter - '0'));
        }
    }
    return address;
}

port::MacAddress own_mac() {
    port::MacAddress mac{0x02, 0, 0, 0, 0, 0x01};
    const std::string_view digits = board::argument("mac");
    for (std::size_t i = 0; digits.size() == 12 && i < 12; ++i) {
        const int value = digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10;
        mac[i / 2] = static_cast<std::uint8_t>(mac[i / 2] << 4U | value);
    }
    return mac;
}

// In pieces of every length, as a network stack may have it.
bool send(const Arp& frame) {
    if (!port::begin_frame(sizeof frame)) return false;
    std::span<const std::byte> rest = std::as_bytes(std::span(&frame, 1));
    for (std::size_t length = 1; !rest.empty(); ++length) {
        const std::size_t now = std::min(length, rest.size());
        port::append_frame(rest.first(now));
        rest = rest.subspan(now);
    }
    return true;
}

// Sleeps until a frame comes, and takes it. False: none came by then.
bool receive(Arp& frame, Instant deadline) {
    while (port::now() < deadline) {
        const std::size_t bytes = port::frame_waiting();
        if (bytes == 0) {
            port::sleep_until(deadline);
            continue;
        }
        frame = {};
        port::read_frame(std::as_writable_bytes(std::span(&frame, 1)).first(std::min(bytes, sizeof frame)));
        return true;
    }
    return false;
}

void check_answer(const port::MacAddress& mac) {
    const Ipv4 own = ipv4(board::argument("own"));
    const Ipv4 peer = ipv4(board::argument("peer"));
    Arp request{.from = mac, .operation = {0, 1}, .sender = mac, .sender_address = own, .target_address = peer};
    request.to.fill(0xff);
    bool answered = false;
    for (int attempt = 0; attempt < kAttempts && !answered; ++attempt) {
        while (port::frame_waiting() != 0) port::read_frame({});  // an answer that came, and ended no sleep, does not count
        const Instant asked = port::now();
        if (!send(request)) break;
        Arp frame;
        while (!answered && receive(frame, asked + kAnswerMax)) {
            answered = frame.to == mac && frame.operation == kReply && frame.sender_address == peer && frame.target == mac;
        }
        if (answered) tell("ethernet: the answer took ", static_cast<std::uint64_t>(to_us(port::now() - asked)), " us");
    }
    check(answered, "ethernet: a peer answers, and its frame ends a sleep");
}

}  // namespace

void check_ethernet() {
    const port::MacAddress mac = own_mac();
    const bool open = port::ethernet_open(mac);
    check(open, "ethernet: the controller opens");
    if (!open) return;
    Arp announcement{.from = mac, .operation = {0, 1}, .sender = mac};
    announcement.to.fill(0xff);
    check(send(announcement), "ethernet: it takes a frame");
    if (!board::argument("peer").empty()) check_answer(mac);
}

}  // namespace self_test
