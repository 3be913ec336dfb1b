#include <dunlin_sim/checkers/cluster_time_checker.hpp>

#include <string>

namespace dunlin::sim {

void ClusterTimeChecker::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    if (event.kind != EventKind::committed || Term{event.detail} <= term_) return;
    until_ = at + kFirstSeconds;
    term_ = Term{event.detail};
    leader_ = process;
}

void ClusterTimeChecker::on_step(Instant at, std::size_t process, const Node& node) {
    if (at >= until_ || process == leader_ || !world_.running(leader_)) return;
    if (appends_.size() <= process) appends_.resize(world_.size());
    const std::uint32_t appends = node.counters().get(Counter::appends_received);
    if (appends == appends_[process]) return;
    appends_[process] = appends;
    const StatusReport own = node.status(world_.local_now(process));
    const StatusReport leader = world_.node(leader_).status(world_.local_now(leader_));
    if (own.role != consensus::Role::follower || own.term != term_) return;
    if (leader.role != consensus::Role::leader || leader.term != term_ || durable_.of(process).last_term() != term_) return;
    verdict_.check(ahead_, own.cluster_time <= leader.cluster_time, at, [&] {
        return "process " + std::to_string(process) + " says that it is " + std::to_string(own.cluster_time.value()) +
               " us, and the leader of its term, process " + std::to_string(leader_) + ", " + std::to_string(leader.cluster_time.value());
    });
}

}  // namespace dunlin::sim
