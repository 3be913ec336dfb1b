#include <dunlin_sim/checkers/departure_checker.hpp>

#include <dunlin/node/options.hpp>

#include <string>

namespace dunlin::sim {
namespace {

constexpr Duration kLookEvery = milliseconds{250};
// An ending is told once it is on the publisher's disk, which may be slow.
constexpr Duration kToldWithin = seconds{2};
// For the clock that is fast.
constexpr Duration kSlack = milliseconds{50};

std::string text(std::size_t process) { return "process " + std::to_string(process); }

}  // namespace

DepartureChecker::DepartureChecker(World& world, Verdict& verdict, const DeliveryChecker& delivery)
    : world_(world),
      verdict_(verdict),
      delivery_(delivery),
      last_(verdict.expect("a goodbye comes last", Verdict::Occasion::rare)),
      handed_on_(verdict.expect("leadership is handed on", Verdict::Occasion::rare)),
      waits_(verdict.expect("nothing waits for who left", Verdict::Occasion::rare)) {
    world.observe(*this);
}

DepartureChecker::Watcher& DepartureChecker::watcher_of(std::size_t process) {
    if (process >= watchers_.size()) watchers_.resize(process + 1);
    return watchers_[process];
}

void DepartureChecker::on_drained(Instant at, std::size_t process, const Node& node, Duration took) {
    const std::uint64_t open = watcher_of(process).left_out ? 0 : delivery_.open(static_cast<std::uint32_t>(process));
    verdict_.check(last_, open == 0, at,
                   [&] { return text(process) + " has drained, and " + std::to_string(open) + " of its publishes wait for outcomes"; });
    const StatusReport status = node.status(world_.local_now(process));
    const bool tried = took >= Options{}.election_timeout_max - kSlack;
    verdict_.check(handed_on_, tried || status.role != consensus::Role::leader, at, [&] {
        return text(process) + " has drained, and leads term " + std::to_string(status.term.value()) + " still, " +
               std::to_string(to_us(took)) + " us after it was told to shut down";
    });
}

void DepartureChecker::on_step(Instant at, std::size_t process, const Node& node) {
    Watcher& watcher = watcher_of(process);
    const bool stood_still = at - watcher.stepped > kLookEvery || world_.process(process).lag != Duration{};
    if (stood_still) watcher.left.clear();
    watcher.stepped = at;
    if (watcher.left_out || at - watcher.looked < kLookEvery) return;
    watcher.looked = at;
    const Process& runs = world_.process(process);
    const std::uint64_t operation = runs.disk_busy ? runs.op.id : 0;
    const bool disk_hangs = operation != 0 && operation == watcher.operation;  // what it is to tell cannot become durable
    watcher.operation = operation;
    if (disk_hangs) return watcher.left.clear();
    const Instant local = world_.local_now(process);
    if (node.status(local).state != RunState::ready) return;
    for (std::size_t i = 0;; ++i) {
        const auto peer = node.peer(local, i);
        if (!peer) return;
        if (peer->id != NodeId{}) check_peer(at, process, watcher, *peer);
    }
}

void DepartureChecker::check_peer(Instant at, std::size_t process, Watcher& watcher, const PeerReport& peer) {
    if (!peer.left) {
        watcher.left.erase(peer.id.value());
        return;
    }
    const Instant since = watcher.left.try_emplace(peer.id.value(), at).first->second;
    if (at - since < kToldWithin) return;
    const std::uint64_t owed = delivery_.owed(static_cast<std::uint32_t>(process), peer.id);
    verdict_.check(waits_, owed == 0, at, [&] {
        return std::to_string(owed) + " messages of " + text(process) + " wait for volatile subscribers at node " +
               std::to_string(peer.id.value()) + ", which said goodbye";
    });
}

void DepartureChecker::on_crash(Instant, std::size_t process, const Node&) { watcher_of(process).left.clear(); }

}  // namespace dunlin::sim
