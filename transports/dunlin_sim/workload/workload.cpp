#include <dunlin_sim/workload/workload.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>
#include <dunlin_sim/workload/worker.hpp>

namespace dunlin::sim {
namespace {

// A call ends by its timeout on the node's clock; this much may pass until the application hears of it.
constexpr Duration kSlack = milliseconds{100};

void add(std::array<std::uint64_t, kCounterCount>& sums, const Counters& counters) {
    for (std::size_t i = 0; i < kCounterCount; ++i) sums[i] += counters.get(static_cast<Counter>(i));
}

}  // namespace

Workload::Workload(World& world, Verdict& verdict, LeaseChecker& leases, Audit& audit, const WorkloadPlan& plan)
    : world_(world),
      leases_(leases),
      audit_(audit),
      plan_(plan),
      delivery_(verdict, plan.attempts_max),
      ledger_(verdict, Options{}.request_timeout + kSlack),
      commands_(verdict),
      effects_(verdict),
      resends_(verdict),
      audience_(world, verdict),
      settlements_(world, verdict, audit.durable()),
      expiries_(world, verdict, plan.lifetime),
      backoffs_(verdict, plan.attempts_max),
      credits_(world, verdict),
      lanes_(world, verdict, credits_, audit.durable()),
      departures_(world, verdict, delivery_) {
    world.observe(*this);
}

std::unique_ptr<Application> Workload::make(std::size_t process) {
    if (process < idle_.size() && idle_[process]) return std::make_unique<Application>();
    return std::make_unique<Worker>(*this, process);
}

void Workload::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    const bool request_done =
        event.kind == EventKind::request_done && event.status != Status::no_quorum && event.status != Status::timed_out;
    if (request_done || event.kind == EventKind::lease_held) ledger_.heard(at, static_cast<std::uint32_t>(process));
    if (event.kind == EventKind::started && !world_.process(process).votes) ledger_.follow(at, static_cast<std::uint32_t>(process));
    const bool stops = event.kind == EventKind::failed || event.kind == EventKind::diverged;
    if (event.kind != EventKind::role_changed && !stops) return;
    const bool leads = !stops && event.value == static_cast<std::uint64_t>(consensus::Role::leader);
    leads ? static_cast<void>(leaders_.insert(process)) : static_cast<void>(leaders_.erase(process));
    ledger_.leaders(at, leaders_.size());
    if (stops) ledger_.stopped(static_cast<std::uint32_t>(process));
}

// Who refuses because it does not lead is no leader.
void Workload::on_receive(Instant at, std::size_t process, std::size_t, std::span<const std::byte> bytes) {
    const auto leads = [](std::uint8_t status) {
        return status != static_cast<std::uint8_t>(Status::not_leader) && status != static_cast<std::uint8_t>(Status::no_quorum);
    };
    bool answered = false;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type == wire::RecordType::command_reply) answered = answered || leads(record.as<wire::CommandReply>().status());
        if (record.type == wire::RecordType::read_reply) answered = answered || leads(record.as<wire::ReadReply>().status());
    });
    if (answered) ledger_.answered(at, static_cast<std::uint32_t>(process));
}

void Workload::on_crash(Instant at, std::size_t process, const Node& node) {
    const bool journalled = world_.process(process).setup.disk_bytes != 0;
    const auto number = static_cast<std::uint32_t>(process);
    delivery_.crashed(at, number, journalled ? 0 : world_.process(process).life, node.id(), journalled);
    resends_.crashed(number, journalled);
    ledger_.stopped(number);
    leaders_.erase(process);
    ledger_.leaders(at, leaders_.size());
    commands_.crashed(number);
    add(past_counters_, node.counters());
}

void Workload::finish() {
    delivery_.finish(world_.now());
    audience_.finish(world_.now());
    ledger_.finish(world_.now());
}

std::array<std::uint64_t, kCounterCount> Workload::counters() const {
    auto sums = past_counters_;
    for (std::size_t i = 0; i < world_.size(); ++i) {
        if (world_.running(i)) add(sums, world_.node(i).counters());
    }
    return sums;
}

}  // namespace dunlin::sim
