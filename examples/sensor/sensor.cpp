// A sensor: measures ten times a second and publishes what it measured, but only while it holds the lease `sampling`. Several of them may
// run: one measures, the others stand by, and one of those takes over when it fails.
//
//     example_sensor id=12 cluster=plant address=127.0.0.1:7012 seeds=127.0.0.1:7001,127.0.0.1:7013 journal=sensor.journal
//
// `seeds` names a voter of the cluster, for the lease, and the actuator, for the telemetry: messages go there straight. With a journal what it
// has published survives its restart: it is sent until the actuator has it, and the numbers go on. The same source is sensor.elf on a board.
#include "../station/line.hpp"
#include "../station/station.hpp"
#include "telemetry.hpp"

#include <dunlin/bus/table_builder.hpp>
#include <dunlin/node/node_memory.hpp>

#include <array>
#include <charconv>

namespace {

using namespace dunlin;

constexpr Duration kInterval = milliseconds{100};
constexpr Duration kLeaseTtl = seconds{2};
constexpr Duration kMargin = milliseconds{20};  // what is left of the lease must last for a publish

// A member on a board, with room for five voters or fewer, and the actuator.
constexpr Limits kLimits = [] {
    Limits limits = limits::micro;
    limits.peers = 6;
    limits.journal_buffer_bytes = 768;
    return limits;
}();

// All memory of the node; sizeof is the whole bill.
NodeMemory<kLimits> memory;

// Where a driver would stand: the tank fills and empties.
std::int32_t measure_level_mm(std::uint64_t sequence) {
    const auto phase = static_cast<std::int32_t>(sequence & 255U);
    return (phase < 128 ? phase : 256 - phase) * 8;
}

class Sensor {
  public:
    void on_event(Node& node, Instant now, const Event& event) {
        if (event.kind == EventKind::started) start(node, now);
    }

    // Sleeps until the next measurement, or, without the lease, until an event says that it is ours.
    Instant on_turn(Node& node, Instant now) {
        if (now < next_) return next_;
        const ledger::LeaseView lease = node.lease(lease_);
        if (!lease.valid_for(now, kMargin)) return kNever;
        next_ = now + kInterval;
        publish(node, now, lease.token);
        return next_;
    }

  private:
    // The journal has been read: it knows how far we came.
    void start(Node& node, Instant now) {
        published_ = node.publish_position();
        char* const id = topic_.data() + kPrefix.copy(topic_.data(), kPrefix.size());
        topic_bytes_ = static_cast<std::size_t>(std::to_chars(id, topic_.data() + topic_.size(), node.id().value()).ptr - topic_.data());
        const Result<ledger::LeaseHandle> handle = node.acquire_lease(now, plant::kSamplingLease, kLeaseTtl);
        if (handle.ok()) lease_ = handle.value();  // acquired as soon as it is free, and renewed from then on
    }

    void publish(Node& node, Instant now, Token token) {
        const std::uint64_t sequence = published_ + 1;
        alignas(8) std::array<std::byte, 64> arena;
        bus::TableBuilder table(arena, plant::Telemetry::VT_LEVEL_MM);
        table.add(plant::Telemetry::VT_SEQUENCE, sequence);
        table.add(plant::Telemetry::VT_TIME_US, static_cast<std::uint64_t>(to_us(now.time_since_epoch())));
        table.add(plant::Telemetry::VT_LEVEL_MM, measure_level_mm(sequence));

        bus::PublishOptions options;
        options.topic = {topic_.data(), topic_bytes_};
        options.payload = table.finish().value();
        options.fence =
            bus::PublishFence{.lease = plant::kSamplingLease, .token = token};  // subscribers refuse it once they saw a later one
        options.position = sequence;  // durable together with the message: no number is given twice
        const Result<bus::Published> accepted = node.publish(now, options);
        if (!accepted.ok()) return;  // nobody listens, or the outbox is full: this one was not published, and the next takes its number
        published_ = sequence;
        station::tell(now, "published", {{"id", accepted.value().id.value()}, {"sequence", sequence}, {"token", token.value()}});
    }

    static constexpr std::string_view kPrefix = "telemetry/";

    std::array<char, kPrefix.size() + 5> topic_{};
    std::size_t topic_bytes_ = 0;
    ledger::LeaseHandle lease_{};
    std::uint64_t published_ = 0;
    Instant next_{};
};

Sensor sensor;

}  // namespace

int main(int argc, char** argv) { return station::run(argc, argv, memory, sensor); }
