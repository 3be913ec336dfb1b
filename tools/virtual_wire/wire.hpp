#pragma once

#include "delay_queue.hpp"
#include "figures.hpp"
#include "frame.hpp"
#include "frame_switch.hpp"
#include "impairment.hpp"
#include "partition.hpp"

#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace dunlin_wire {

// What became of a frame at the other end of its port.
enum class Handover : std::uint8_t {
    taken,
    full,    // the other end is behind: the frame is to be offered again
    absent,  // nobody is there: the frame is gone
};

// The whole switch but for its sockets and its clock: what comes in, what it goes through, what is due to go out. The same seed, frames and
// times give the same deliveries.
class Wire {
  public:
    static constexpr std::size_t kWaitingMax = 4096;                           // frames at a port; what is more is dropped
    static constexpr dunlin::Duration kRetryAfter = dunlin::microseconds{50};  // to offer a frame again
    using Offer = std::function<Handover(PortIndex to, FrameBytes frame)>;

    Wire(std::size_t ports, std::uint64_t seed, std::size_t waiting_max = kWaitingMax);

    [[nodiscard]] ImpairmentSettings& impairment() { return impairment_.settings; }
    [[nodiscard]] Partition& partition() { return partition_; }
    // Frames of one way overtake each other where their delays say so; without it, none leaves before the one in front of it.
    void allow_reordering() { reorders_ = true; }

    // A frame, or what claims to be one, came in at `from`.
    void receive(dunlin::Instant now, PortIndex from, FrameBytes frame);
    // Offers every frame that is due, port by port, in the order of their times.
    void deliver(dunlin::Instant now, const Offer& offer);
    // When deliver() has something to do next; kNever: nothing waits. O(ports).
    [[nodiscard]] dunlin::Instant next_deadline() const;
    [[nodiscard]] Figures figures() const;

  private:
    struct Port {
        DelayQueue waiting;
        dunlin::Instant offer_again_at{};  // while its other end is behind
    };
    void go(dunlin::Instant now, PortIndex from, PortIndex to, const SharedFrame& frame);
    void wait(dunlin::Instant due, PortIndex from, PortIndex to, const SharedFrame& frame);
    void deliver_at(dunlin::Instant now, PortIndex to, const Offer& offer);

    FrameSwitch switch_;
    Impairment impairment_;
    Partition partition_;
    std::vector<Port> ports_;
    std::vector<dunlin::Instant> latest_due_;  // by way
    bool reorders_ = false;
    Figures figures_;
};

}  // namespace dunlin_wire
