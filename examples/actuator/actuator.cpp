// An actuator: moves a valve as the telemetry says, and obeys one sensor at a time. Which one, the lease `sampling` decides: each message
// bears the token that its sensor held the lease with, tokens only grow, and what bears an older one than was seen is refused here,
// however late it comes and whatever its sensor believes.
//
//     example_actuator id=13 cluster=plant address=127.0.0.1:7013 seeds=127.0.0.1:7001 journal=actuator.journal
//
// `seeds` names a voter of the cluster: from there comes the token of the lease after a restart. With a journal the subscription outlives the
// restart, too: sensors keep what is published meanwhile. The same source is actuator.elf on a board.
#include "../station/line.hpp"
#include "../station/station.hpp"
#include "../telemetry/telemetry.hpp"

#include <dunlin/bus/typed_topic.hpp>
#include <dunlin/node/node_memory.hpp>

#include <algorithm>

namespace {

using namespace dunlin;

constexpr std::uint32_t kSubscription = 1;  // our own name for it, which the journal knows it by
constexpr std::int32_t kLevelFullMm = 1000;

// A member on a board, with room for three voters and as many sensors.
constexpr Limits kLimits = [] {
    Limits limits = limits::micro;
    limits.peers = 6;
    limits.journal_buffer_bytes = 768;
    return limits;
}();

// All memory of the node; sizeof is the whole bill.
NodeMemory<kLimits> memory;

// Where a driver would stand.
struct Valve {
    std::int32_t open_permille = 0;
    void move_to(std::int32_t permille) { open_permille = permille; }
};

class Actuator {
  public:
    // What arrives is a verified table, or it does not arrive.
    bus::Verdict operator()(const plant::Telemetry& reading, const bus::Message& message) {
        valve_.move_to(std::clamp<std::int32_t>(reading.level_mm(), 0, kLevelFullMm));
        station::tell(
            station::now(), "handled",
            {{"node", message.publisher.value()},
             {"sequence", reading.sequence()},
             {"token", message.token.value()},
             {"repeated", message.maybe_repeated ? 1U : 0U},  // it may have moved the valve before a crash: to do so twice is no harm
             {"valve", static_cast<std::uint64_t>(valve_.open_permille)}});
        return bus::Verdict::accept;
    }

    void on_event(Node& node, Instant now, const Event& event) {
        if (event.kind == EventKind::started) subscribe(node, now);
        if (event.kind == EventKind::message_fenced) station::tell(now, "refused", {{"count", ++refused_}});
    }

    Instant on_turn(Node&, Instant) { return kNever; }  // everything it does, a message causes

  private:
    void subscribe(Node& node, Instant now) {
        bus::SubscribeOptions options;
        options.fence_lease = plant::kSamplingLease;
        const bool has_journal = node.status(now).storage != StorageId{};
        if (has_journal) options.durable_id = kSubscription;
        const Result<SubscriptionId> made = node.subscribe(plant::kTelemetryTopics, telemetry_.handler(), options);
        station::tell(now, "subscribed", {{"result", to_string(made.status())}});
    }

    bus::Topic<plant::Telemetry> telemetry_{bus::Topic<plant::Telemetry>::TypedHandler::of(*this)};
    Valve valve_;
    std::uint64_t refused_ = 0;
};

Actuator actuator;

}  // namespace

int main(int argc, char** argv) { return station::run(argc, argv, memory, actuator); }
