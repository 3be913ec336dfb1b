#pragma once

#include "../station/line.hpp"
#include "../telemetry/telemetry.hpp"

#include <dunlin/bus/table_builder.hpp>
#include <dunlin/node/node.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plant {

inline constexpr dunlin::Duration kInterval = dunlin::milliseconds{100};
inline constexpr dunlin::Duration kLeaseTtl = dunlin::seconds{2};
inline constexpr dunlin::Duration kMargin = dunlin::milliseconds{20};  // what is left of the lease must last for a publish

// Where a driver would stand: the tank fills and empties.
inline std::int32_t measure_level_mm(std::uint64_t sequence) {
    const auto phase = static_cast<std::int32_t>(sequence & 255U);
    return (phase < 128 ? phase : 256 - phase) * 8;
}

// What a sensor does beside its node: it wants the lease from the start on, and publishes while it holds it. A program of station::run().
class Sensor {
  public:
    void on_event(dunlin::Node& node, dunlin::Instant now, const dunlin::Event& event) {
        if (event.kind == dunlin::EventKind::started) start(node, now);
    }

    // Sleeps until the next measurement, or, without the lease, until an event says that it is ours.
    dunlin::Instant on_turn(dunlin::Node& node, dunlin::Instant now) {
        if (now < next_) return next_;
        const dunlin::ledger::LeaseView lease = node.lease(lease_);
        if (!lease.valid_for(now, kMargin)) return dunlin::kNever;
        next_ = now + kInterval;
        publish(node, now, lease.token);
        return next_;
    }

  private:
    // The journal has been read: it knows how far we came.
    void start(dunlin::Node& node, dunlin::Instant now) {
        published_ = node.publish_position();
        char* const id = topic_.data() + kPrefix.copy(topic_.data(), kPrefix.size());
        topic_bytes_ = static_cast<std::size_t>(std::to_chars(id, topic_.data() + topic_.size(), node.id().value()).ptr - topic_.data());
        const dunlin::Result<dunlin::ledger::LeaseHandle> handle = node.acquire_lease(now, kSamplingLease, kLeaseTtl);
        if (handle.ok()) lease_ = handle.value();  // acquired as soon as it is free, and renewed from then on
    }

    void publish(dunlin::Node& node, dunlin::Instant now, dunlin::Token token) {
        const std::uint64_t sequence = published_ + 1;
        alignas(8) std::array<std::byte, 64> arena;
        dunlin::bus::TableBuilder table(arena, Telemetry::VT_LEVEL_MM);
        table.add(Telemetry::VT_SEQUENCE, sequence);
        table.add(Telemetry::VT_TIME_US, static_cast<std::uint64_t>(dunlin::to_us(now.time_since_epoch())));
        table.add(Telemetry::VT_LEVEL_MM, measure_level_mm(sequence));

        dunlin::bus::PublishOptions options;
        options.topic = {topic_.data(), topic_bytes_};
        options.payload = table.finish().value();
        options.fence =
            dunlin::bus::PublishFence{.lease = kSamplingLease, .token = token};  // subscribers refuse it once they saw a later one
        options.position = sequence;  // durable together with the message: no number is given twice
        const dunlin::Result<dunlin::bus::Published> accepted = node.publish(now, options);
        if (!accepted.ok()) return;  // nobody listens, or the outbox is full: this one was not published, and the next takes its number
        published_ = sequence;
        station::tell(now, "published", {{"id", accepted.value().id.value()}, {"sequence", sequence}, {"token", token.value()}});
    }

    static constexpr std::string_view kPrefix = "telemetry/";

    std::array<char, kPrefix.size() + 5> topic_{};
    std::size_t topic_bytes_ = 0;
    dunlin::ledger::LeaseHandle lease_{};
    std::uint64_t published_ = 0;
    dunlin::Instant next_{};
};

}  // namespace plant
