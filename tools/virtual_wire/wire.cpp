#include "wire.hpp"

#include <algorithm>
#include <memory>

namespace dunlin_wire {

Wire::Wire(std::size_t ports, std::uint64_t seed, std::size_t waiting_max)
    : switch_(ports),
      impairment_(ports, seed),
      partition_(ports),
      ports_(ports, Port{DelayQueue(waiting_max)}),
      latest_due_(ports * ports) {}

void Wire::receive(dunlin::Instant now, PortIndex from, FrameBytes frame) {
    if (frame.size() < kFrameBytesMin || frame.size() > kFrameBytesMax) {
        ++figures_.malformed;
        return;
    }
    ++figures_.frames;
    const std::span<const PortIndex> leaves_by = switch_.forward(from, frame);
    if (leaves_by.empty()) return;
    const auto kept = std::make_shared<const std::vector<std::byte>>(frame.begin(), frame.end());
    for (const PortIndex to : leaves_by) go(now, from, to, kept);
}

void Wire::go(dunlin::Instant now, PortIndex from, PortIndex to, const SharedFrame& frame) {
    ++figures_.ways;
    const Fate fate = impairment_.next(from, to);
    if (!partition_.connected(from, to)) {
        ++figures_.cut;
        return;
    }
    if (fate.lost) {
        ++figures_.lost;
        return;
    }
    wait(now + fate.delay, from, to, frame);
    if (!fate.twice) return;
    ++figures_.duplicated;
    wait(now + fate.second_delay, from, to, frame);
}

void Wire::wait(dunlin::Instant due, PortIndex from, PortIndex to, const SharedFrame& frame) {
    dunlin::Instant& latest = latest_due_[from.value() * ports_.size() + to.value()];
    latest = std::max(latest, due);
    DelayQueue& waiting = ports_[to.value()].waiting;
    if (!waiting.push(reorders_ ? due : latest, from, frame)) {
        ++figures_.overflowed;
        return;
    }
    figures_.delayed_max = std::max<std::uint64_t>(figures_.delayed_max, waiting.size());
}

void Wire::deliver(dunlin::Instant now, const Offer& offer) {
    for (std::size_t port = 0; port < ports_.size(); ++port) deliver_at(now, port_at(port), offer);
}

void Wire::deliver_at(dunlin::Instant now, PortIndex to, const Offer& offer) {
    Port& port = ports_[to.value()];
    if (now < port.offer_again_at) return;
    while (!port.waiting.empty() && port.waiting.front().due <= now) {
        const DelayQueue::Entry& next = port.waiting.front();
        // Asked again: who cuts a cable loses what is in it.
        if (!partition_.connected(next.from, to)) {
            ++figures_.cut;
        } else {
            switch (offer(to, *next.frame)) {
                case Handover::taken: ++figures_.delivered; break;
                case Handover::absent: ++figures_.absent; break;
                case Handover::full: port.offer_again_at = now + kRetryAfter; return;
            }
        }
        port.waiting.pop();
    }
}

dunlin::Instant Wire::next_deadline() const {
    dunlin::Instant next = dunlin::kNever;
    for (const Port& port : ports_) {
        if (!port.waiting.empty()) next = std::min(next, std::max(port.waiting.front().due, port.offer_again_at));
    }
    return next;
}

Figures Wire::figures() const {
    Figures figures = figures_;
    for (const Port& port : ports_) figures.waiting += port.waiting.size();
    return figures;
}

}  // namespace dunlin_wire
