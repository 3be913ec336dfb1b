#include "lwip/fake_port.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace lwip_test {

FakePort& fake_port() {
    static FakePort port;
    return port;
}

void reset_fake_port() {
    FakePort& port = fake_port();
    port.~FakePort();
    new (&port) FakePort;
}

}  // namespace lwip_test

namespace dunlin_lwip::port {

using lwip_test::fake_port;

dunlin::Instant now() { return fake_port().now; }

void sleep_until(dunlin::Instant wake, const std::atomic<bool>* asked) {
    if (fake_port().on_falling_asleep) fake_port().on_falling_asleep();
    if (!fake_port().received.empty() || wake <= fake_port().now || (asked != nullptr && asked->load())) return;
    fake_port().on_sleep(wake);
}

std::uint64_t random_nonzero_u64() { return 4711; }

bool has_entropy() { return true; }

bool ethernet_open(const MacAddress& address) {
    fake_port().mac = address;
    return fake_port().has_ethernet;
}

std::size_t frame_waiting() { return fake_port().received.empty() ? 0 : fake_port().received.front().size(); }

void read_frame(std::span<std::byte> to) {
    ASSERT_FALSE(fake_port().received.empty());
    const lwip_test::Frame& frame = fake_port().received.front();
    std::copy_n(frame.begin(), std::min(frame.size(), to.size()), to.begin());
    fake_port().received.pop_front();
}

bool begin_frame(std::size_t bytes) {
    lwip_test::FakePort& port = fake_port();
    EXPECT_TRUE(port.outgoing.empty()) << "the frame before was not filled";
    EXPECT_GE(bytes, kFrameBytesMin);
    EXPECT_LE(bytes, kFrameBytesMax);
    ++port.frames_begun;
    if (port.room == 0) {
        if (port.on_refused) port.on_refused();
        return false;
    }
    --port.room;
    port.outgoing_bytes = bytes;
    return true;
}

void append_frame(std::span<const std::byte> piece) {
    lwip_test::FakePort& port = fake_port();
    port.outgoing.insert(port.outgoing.end(), piece.begin(), piece.end());
    ASSERT_LE(port.outgoing.size(), port.outgoing_bytes);
    if (port.outgoing.size() < port.outgoing_bytes) return;
    port.sent.push_back(std::move(port.outgoing));
    port.outgoing.clear();
}

Storage storage() { return {.bytes = fake_port().device.size(), .geometry = fake_port().geometry}; }

dunlin::Status perform(const dunlin::journal::DeviceOp& op) {
    using Kind = dunlin::journal::DeviceOp::Kind;
    lwip_test::FakePort& port = fake_port();
    ++port.operations;
    if (port.next_operation != dunlin::Status::ok) return port.next_operation;
    const auto place = port.device.begin() + static_cast<std::ptrdiff_t>(op.offset);
    EXPECT_LE(op.offset + (op.kind == Kind::erase ? port.geometry.erase_bytes : op.buffer.size()), port.device.size());
    if (op.kind == Kind::read) std::copy_n(place, op.buffer.size(), op.buffer.begin());
    if (op.kind == Kind::write) std::ranges::copy(op.buffer, place);
    if (op.kind == Kind::erase) std::fill_n(place, port.geometry.erase_bytes, std::byte{0xff});
    return dunlin::Status::ok;
}

}  // namespace dunlin_lwip::port
