#pragma once

#include <dunlin_lwip/port.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <vector>

namespace lwip_test {

using Frame = std::vector<std::byte>;

// A board whose time, controller and storage a test holds in its hands.
struct FakePort {
    dunlin::Instant now{dunlin::seconds{1}};
    bool has_ethernet = true;
    dunlin_lwip::port::MacAddress mac{};
    std::deque<Frame> received;                                  // in the controller, not yet read
    std::deque<Frame> sent;                                      // whole frames, on the wire
    std::size_t room = std::numeric_limits<std::size_t>::max();  // so many more frames the controller takes
    std::size_t frames_begun = 0;
    std::function<void(dunlin::Instant wake)> on_sleep = [this](dunlin::Instant wake) { now = wake; };
    std::function<void()> on_refused;         // the controller had no room for a frame
    std::function<void()> on_falling_asleep;  // an interrupt between the loop's last look and its sleep
    std::vector<std::byte> device;
    dunlin::journal::Geometry geometry{};
    std::size_t operations = 0;
    dunlin::Status next_operation = dunlin::Status::ok;

    Frame outgoing;  // begun
    std::size_t outgoing_bytes = 0;
};

FakePort& fake_port();
// As after power-on, with nothing in its storage.
void reset_fake_port();

}  // namespace lwip_test
