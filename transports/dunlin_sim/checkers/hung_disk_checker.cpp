#include <dunlin_sim/checkers/hung_disk_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

constexpr consensus::ConsensusOptions kTimes{};
constexpr Duration kBreak = milliseconds{400};      // without a packet, though heartbeats and their answers pass ten times a second
constexpr Duration kQuickDisk = milliseconds{250};  // an operation that takes longer keeps a voter from taking over in time

}  // namespace

HungDiskChecker::HungDiskChecker(World& world, Verdict& verdict, const Configurations& configurations)
    : world_(world),
      verdict_(verdict),
      gives_way_(verdict.expect("a hung leader gives way", Verdict::Occasion::rare)),
      configurations_(configurations) {}

HungDiskChecker::Seen& HungDiskChecker::seen_of(std::size_t process) {
    if (seen_.empty()) seen_.resize(world_.size(), Seen(world_.size()));
    return seen_[process];
}

void HungDiskChecker::on_datagram(Instant at, std::size_t process, std::size_t from) {
    Seen& seen = seen_of(process);
    if (at - seen.heard[from] > kBreak) seen.steady_since[from] = at;
    seen.heard[from] = at;
}

void HungDiskChecker::on_event(Instant at, std::size_t process, const Event& event) {
    if (event.kind != EventKind::leader_changed) return;
    seen_of(process).leader = event.node;
    seen_of(process).leader_since = at;
}

Instant HungDiskChecker::steady_since(Instant at, std::size_t process, std::size_t from) {
    const Seen& seen = seen_of(process);
    return at - seen.heard[from] > kBreak ? at : seen.steady_since[from];
}

// Since when this voter could have taken over from this leader.
Instant HungDiskChecker::able_since(Instant at, std::size_t process, std::size_t leader) {
    const Seen& seen = seen_of(process);
    const bool quick = !world_.process(process).disk_busy || at - seen.operation_since < kQuickDisk;
    if (!world_.running(process) || world_.paused(process) || world_.node(process).failed() || !quick) return at;
    if (seen.leader != world_.process(leader).setup.options.id) return at;
    return std::max({seen.leader_since, steady_since(at, process, leader), steady_since(at, leader, process)});
}

void HungDiskChecker::on_step(Instant at, std::size_t process) {
    if (!configurations_.may_vote(process)) return;
    Seen& seen = seen_of(process);
    const Process& runs = world_.process(process);
    if (!runs.disk_busy || runs.op.id != seen.operation) {
        seen.operation = runs.disk_busy ? runs.op.id : 0;
        seen.operation_since = at;
    }
    const Instant hung = seen.operation_since + kTimes.election_timeout_max + kHeartbeat;
    if (at < hung || seen.leader != runs.setup.options.id) return;
    const Processes voters = configurations_.voters();
    if (!configurations_.settled(at) || !is_majority(voters & ~set_of(process), voters)) seen.needed_at = at;
    Instant since = std::max(hung, seen.needed_at);
    for (const std::size_t host : configurations_.hosts()) {
        const bool votes = (voters & set_of(host)) != 0;
        if (votes && host != process) since = std::max(since, able_since(at, host, process));
    }
    verdict_.check(gives_way_, at - since < kGrace, at, [&] {
        return "process " + std::to_string(process) + " leads, though its disk has been at one operation for " +
               std::to_string((at - seen.operation_since).count()) + " us and every other voter follows it";
    });
}

void HungDiskChecker::on_crash(std::size_t process) { seen_of(process) = Seen(world_.size()); }

}  // namespace dunlin::sim
