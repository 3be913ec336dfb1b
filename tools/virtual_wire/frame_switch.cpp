#include "frame_switch.hpp"

#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin_wire {

FrameSwitch::FrameSwitch(std::size_t ports, std::size_t addresses_max) : ports_(ports), addresses_max_(addresses_max) {
    DUNLIN_ASSERT(ports <= kPortsMax && addresses_max > 0);
    leaves_by_.reserve(ports);
}

std::span<const PortIndex> FrameSwitch::forward(PortIndex from, FrameBytes frame) {
    DUNLIN_ASSERT(from.value() < ports_ && frame.size() >= kFrameBytesMin);
    ++frames_;
    learn(source_of(frame), from);
    leaves_by_.clear();
    const auto station = stations_.find(destination_of(frame));
    if (station != stations_.end()) {
        if (station->second.port != from) leaves_by_.push_back(station->second.port);
        return leaves_by_;
    }
    for (std::size_t port = 0; port < ports_; ++port) {
        if (port_at(port) != from) leaves_by_.push_back(port_at(port));
    }
    return leaves_by_;
}

void FrameSwitch::learn(MacAddress source, PortIndex from) {
    if (is_group(source)) return;
    if (stations_.size() == addresses_max_ && !stations_.contains(source)) forget_the_most_silent();
    stations_[source] = {from, frames_};
}

void FrameSwitch::forget_the_most_silent() {
    stations_.erase(std::ranges::min_element(stations_, {}, [](const auto& each) { return each.second.heard_at; }));
}

}  // namespace dunlin_wire
