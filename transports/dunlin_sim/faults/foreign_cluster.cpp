#include <dunlin_sim/faults/foreign_cluster.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_sim/workload/host.hpp>

namespace dunlin::sim {
namespace {

constexpr NodeId kVoter{1};
constexpr NodeId kMember{999};

// Listens to everything, and tells its cluster what happened.
class Stranger final : public Application {
  public:
    Stranger(World& world, ForeignCluster& cluster) : world_(world), cluster_(cluster) {}
    void on_start(const Context& context) override {
        const bus::Handler accept{[](void*, const bus::Message&) { return bus::Verdict::accept; }, nullptr};
        const auto subscribed = context.node().subscribe("#", accept);
        DUNLIN_ASSERT(subscribed.ok());
    }
    void on_event(const Context&, const Event& event) override { cluster_.on_event(world_.now(), event); }

  private:
    World& world_;
    ForeignCluster& cluster_;
};

}  // namespace

void ForeignCluster::build(World& world, std::string name) {
    world_ = &world;
    name_ = std::move(name);
    for (const bool votes : {true, false}) {
        ProcessSetup setup;
        setup.options.id = votes ? kVoter : kMember;
        setup.options.cluster = votes ? std::string_view(name_) : "yet another";
        setup.memory = host_memory(votes, kNodesMax);
        setup.application = [this] { return std::make_unique<Stranger>(*world_, *this); };
        setup.disk_bytes = votes ? host_disk_bytes(Room::ample) : 0;
        for (std::size_t i = 0; i < world.size(); ++i) setup.seeds.push_back(i);
        processes_[votes ? 0 : 1] = world.add_outsider(std::move(setup));
    }
    world.found_cluster(std::span(processes_).first(1), host_ledger(Room::ample));
}

void ForeignCluster::start() {
    if (world_ == nullptr) return;
    sever(true);
    for (const std::size_t each : processes_) world_->start(each);
}

void ForeignCluster::meet() { sever(false); }

void ForeignCluster::sever(bool on) {
    for (const std::size_t each : processes_) {
        for (std::size_t i = 0; i < world_->size(); ++i) world_->network().sever(each, i, on);
    }
}

void ForeignCluster::stop() {
    if (world_ == nullptr) return;
    for (const std::size_t each : processes_) world_->crash(each);
}

void ForeignCluster::on_event(Instant at, const Event& event) {
    verdict_.check(strangers_, event.kind != EventKind::session_opened, at,
                   [&] { return "a process that is not of this cluster has a session with node " + std::to_string(event.node.value()); });
}

}  // namespace dunlin::sim
