#pragma once

#include <dunlin_sim/world.hpp>

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dunlin::sim {

// Limits of the simulated hosts: a voter with room for a busy workload.
inline constexpr Limits kSimVoter{
    .peers = 16,
    .topics = 64,
    .topic_bytes_max = 64,
    .local_subscriptions = 16,
    .remote_subscriptions = 64,
    .outbox_bytes = 64 * 1024,
    .outbox_messages = 512,
    .deliveries = 1024,
    .inbox_bytes = 64 * 1024,
    .inbox_messages = 512,
    .packets_in_flight_per_peer = 32,
    .requests = 16,
    .events = 256,
    .journal_buffer_bytes = 16 * 1024,
    .voter = true,
    .log_entries = 64,
    .log_bytes = 8 * 1024,
    .proposals = 16,
    .ledger = {.leases = 16, .keys = 16, .sessions = 16, .members = 8, .value_bytes = 32},
};

consteval Limits sim_member() {
    Limits limits = kSimVoter;
    limits.voter = false;
    return limits;
}
inline constexpr Limits kSimMember = sim_member();

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Remembers everything that happens to it.
class Recorder : public Application {
  public:
    explicit Recorder(std::string filter = {}, std::uint32_t durable_id = 0) : filter_(std::move(filter)), durable_id_(durable_id) {}
    void on_start(const Context& context) override {
        if (filter_.empty()) return;
        bus::SubscribeOptions options;
        options.durable_id = durable_id_;
        const auto made = context.node().subscribe(filter_,
                                                   {[](void* self, const bus::Message& message) {
                                                        auto& recorder = *static_cast<Recorder*>(self);
                                                        recorder.received.push_back(text_of(message.payload));
                                                        if (recorder.on_message) recorder.on_message();
                                                        return bus::Verdict::accept;
                                                    },
                                                    this},
                                                   options);
        DUNLIN_ASSERT(made.ok());
    }
    void on_event(const Context&, const Event& event) override {
        events.push_back(event);
        if (event.kind == EventKind::outcome) ++outcomes[event.outcome];
    }

    std::function<void()> on_message;
    std::vector<std::string> received;
    std::vector<Event> events;
    std::map<Outcome, int> outcomes;

  private:
    std::string filter_;
    std::uint32_t durable_id_;
};

// What the voters of a SmallCluster are made of.
struct VoterKind {
    MakeHolder memory;
    LedgerLimits ledger;
    std::size_t disk_bytes;
};
template <Limits L>
[[nodiscard]] VoterKind voter_kind(std::size_t disk_bytes = journal_device_bytes_min<L>()) {
    return {holder_of<L>(), L.ledger, disk_bytes};
}

// A world of `voters` voters (ids from 1) and then members, each knowing voter 0.
class SmallCluster {
  public:
    SmallCluster(std::uint64_t seed, std::size_t voters, const VoterKind& kind = voter_kind<kSimVoter>()) : world(seed) {
        std::vector<std::size_t> indices;
        for (std::size_t i = 0; i < voters; ++i) {
            indices.push_back(add(kind.disk_bytes, {}));
            world.process(i).setup.memory = kind.memory;
        }
        world.found_cluster(indices, kind.ledger);
    }
    std::size_t add(std::size_t disk_bytes, std::function<std::unique_ptr<Application>()> application) {
        ProcessSetup setup;
        setup.options.id = NodeId{static_cast<std::uint16_t>(world.size() + 1)};
        setup.options.cluster = "sim";
        setup.memory = disk_bytes != 0 ? holder_of<kSimVoter>() : holder_of<kSimMember>();
        setup.application = application ? application : [] { return std::make_unique<Recorder>(); };
        setup.disk_bytes = disk_bytes;
        if (world.size() != 0) setup.seeds = {0};
        return world.add(std::move(setup));
    }
    std::size_t leader() {
        for (std::size_t i = 0; i < world.size(); ++i) {
            if (world.running(i) && world.node(i).status(world.local_now(i)).role == consensus::Role::leader) return i;
        }
        return world.size();
    }
    Recorder& recorder(std::size_t process) { return static_cast<Recorder&>(world.application(process)); }

    World world;
};

}  // namespace dunlin::sim
