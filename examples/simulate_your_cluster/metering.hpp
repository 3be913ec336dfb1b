#pragma once

#include <dunlin/node/node.hpp>

#include <cstdint>
#include <string_view>

// The application of this example: a water meter publishes what has flowed, and a billing node adds it up. It knows nothing
// of a simulator; on a board it is driven by the loop that drives the node.
namespace metering {

inline constexpr std::string_view kTopic = "meter/litres";

// Publishes litres as they flow. What it has published is its position in the journal, so that a restart goes on there.
class Meter {
  public:
    // `flowed`: the hardware's counter, which a restart of the process does not touch.
    Meter(dunlin::Node& node, const std::uint64_t& flowed) : node_(&node), flowed_(&flowed) {}

    void on_started() { published_ = node_->publish_position(); }  // on Event::started
    // Publishes what has flowed since; what it cannot get rid of now goes with the next call.
    void publish(dunlin::Instant now);

  private:
    dunlin::Node* node_;
    const std::uint64_t* flowed_;
    std::uint64_t published_ = 0;
};

// How the billing node remembers its sum.
enum class Bookkeeping : std::uint8_t {
    with_the_watermark,  // in the node's journal, in one step with what counts as settled
    beside_it,           // in storage of its own. The bug: a message that runs again after a crash is billed again
};

class Billing {
  public:
    // `stored`: the storage of its own, which survives the process.
    Billing(dunlin::Node& node, Bookkeeping bookkeeping, std::uint64_t& stored)
        : node_(&node), stored_(&stored), bookkeeping_(bookkeeping) {}

    [[nodiscard]] dunlin::Status start();  // before the node starts
    void on_started();                     // on Event::started
    [[nodiscard]] std::uint64_t litres() const { return litres_; }
    dunlin::bus::Verdict operator()(const dunlin::bus::Message& message);

  private:
    dunlin::Node* node_;
    std::uint64_t* stored_;
    std::uint64_t litres_ = 0;
    Bookkeeping bookkeeping_;
};

}  // namespace metering
