// Takes telemetry from anybody, and orders to the crane only from the holder of its lease.
#include "member.hpp"
#include "telemetry_generated.h"

#include <dunlin/bus/typed_topic.hpp>

#include <exception>

namespace {

using dunlin::bus::Message;
using dunlin::bus::Verdict;

class Subscriber {
  public:
    explicit Subscriber(const demo::Arguments& arguments) : member_(arguments) {
        // The fence is one option: with it no order of a lease's earlier holder ever reaches the handler.
        dunlin::bus::SubscribeOptions fenced;
        if (arguments.broken != demo::Broken::fencing) fenced.fence_lease = demo::kCraneLease;
        const bool subscribed = member_.node().subscribe(demo::kTelemetryTopic, telemetry_.handler()).ok() &&
                                member_.node().subscribe(demo::kCraneTopic, crane_.handler(), fenced).ok();
        if (!subscribed) throw std::runtime_error("cannot subscribe");
        member_.loop().on_event([this](dunlin::Instant, const dunlin::Event& event) { take(event); });
    }
    [[nodiscard]] int run() { return member_.run(); }

  private:
    Verdict on_telemetry(const demo::Telemetry& telemetry, const Message& message) {
        member_.events().write(R"("event":"accepted","topic":"telemetry","publisher":%u,"sequence":%llu)",
                               static_cast<unsigned>(message.publisher.value()), static_cast<unsigned long long>(telemetry.sequence()));
        return Verdict::accept;
    }
    Verdict on_crane_order(const demo::CraneOrder& order, const Message& message) {
        member_.events().write(R"("event":"accepted","topic":"crane","publisher":%u,"sequence":%llu,"token":%llu)",
                               static_cast<unsigned>(message.publisher.value()), static_cast<unsigned long long>(order.sequence()),
                               static_cast<unsigned long long>(message.token.value()));
        return Verdict::accept;
    }
    void take(const dunlin::Event& event) {
        if (event.kind == dunlin::EventKind::started) member_.events().write(R"("event":"started")");
        if (event.kind != dunlin::EventKind::message_fenced) return;
        member_.events().write(R"("event":"fenced","publisher":%u,"token":%llu,"floor":%llu)", static_cast<unsigned>(event.node.value()),
                               static_cast<unsigned long long>(event.value), static_cast<unsigned long long>(event.detail));
    }

    demo::Member member_;
    struct OnTelemetry {
        Subscriber& self;
        Verdict operator()(const demo::Telemetry& telemetry, const Message& message) { return self.on_telemetry(telemetry, message); }
    } on_telemetry_{*this};
    struct OnCraneOrder {
        Subscriber& self;
        Verdict operator()(const demo::CraneOrder& order, const Message& message) { return self.on_crane_order(order, message); }
    } on_crane_order_{*this};
    dunlin::bus::Topic<demo::Telemetry> telemetry_{dunlin::bus::Topic<demo::Telemetry>::TypedHandler::of(on_telemetry_)};
    dunlin::bus::Topic<demo::CraneOrder> crane_{dunlin::bus::Topic<demo::CraneOrder>::TypedHandler::of(on_crane_order_)};
};

}  // namespace

int main(int argc, char** argv) {
    try {
        return Subscriber(demo::read_arguments(argc, argv)).run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "subscriber: %s\n", error.what());
        return 3;
    }
}
