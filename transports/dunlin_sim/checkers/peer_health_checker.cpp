#include <dunlin_sim/checkers/peer_health_checker.hpp>

#include <dunlin/membership/failure_detector.hpp>
#include <dunlin/node/options.hpp>

#include <string>

namespace dunlin::sim {
namespace {

using membership::Health;

constexpr Duration kLookEvery = milliseconds{100};
// Somebody is heard, or a heartbeat is due, more often than that: whoever makes no step for longer stood still.
constexpr Duration kGapMax = milliseconds{300};
// For the clock that is fast and the timer that is late.
constexpr Duration kSlack = milliseconds{100};

const Duration kInterval = Options{}.heartbeat_interval;  // every process has the same
const Duration kBound = membership::FailureDetector::detection_bound(kInterval);

std::string text(std::size_t process, NodeId peer) {
    return "process " + std::to_string(process) + " about node " + std::to_string(peer.value());
}

std::string text(Duration time) { return std::to_string(to_us(time)) + " us"; }

}  // namespace

PeerHealthChecker::PeerHealthChecker(World& world, Verdict& verdict)
    : world_(world),
      verdict_(verdict),
      silence_(verdict.expect("silence is reported in time")),
      heard_(verdict.expect("who is heard is not dead")),
      goodbye_(verdict.expect("a goodbye is no suspicion", Verdict::Occasion::rare)),
      suspected_(verdict.expect("suspected before dead", Verdict::Occasion::rare)) {
    world.observe(*this);
}

PeerHealthChecker::Watcher& PeerHealthChecker::watcher_of(std::size_t process) {
    if (process >= watchers_.size()) watchers_.resize(process + 1);
    return watchers_[process];
}

bool PeerHealthChecker::awake(Instant at, std::size_t process, const Watcher& watcher) const {
    const bool gap = at - watcher.stepped > kGapMax;  // events come before their step
    return !gap && at - watcher.awake_since > kBound && world_.process(process).lag == Duration{};
}

void PeerHealthChecker::on_step(Instant at, std::size_t process, const Node& node) {
    Watcher& watcher = watcher_of(process);
    if (at - watcher.stepped > kGapMax || world_.process(process).lag != Duration{}) watcher.awake_since = at;
    // Who stood still for a moment first catches up.
    if (at - watcher.stepped > kSlack) watcher.looked = at;
    watcher.stepped = at;
    if (at - watcher.looked < kLookEvery || !awake(at, process, watcher)) return;
    watcher.looked = at;
    const Instant local = world_.local_now(process);
    if (node.status(local).state != RunState::ready) return;
    for (std::size_t i = 0;; ++i) {
        const auto peer = node.peer(local, i);
        if (!peer) return;
        if (peer->id != NodeId{}) check_peer(at, process, *peer);
    }
}

void PeerHealthChecker::check_peer(Instant at, std::size_t process, const PeerReport& peer) {
    if (peer.left) {
        verdict_.check(goodbye_, peer.health == Health::unknown, at,
                       [&] { return text(process, peer.id) + ", which said goodbye: its silence is watched on"; });
    }
    if (peer.health == Health::unknown) return;
    const auto said = [&] { return text(process, peer.id) + ", not heard for " + text(peer.silence); };
    verdict_.check(silence_, peer.silence <= kBound + kSlack || peer.health == Health::dead, at,
                   [&] { return said() + ": it is not reported dead"; });
    verdict_.check(heard_, peer.health != Health::dead || peer.silence > kInterval, at, [&] { return said() + ": it is reported dead"; });
}

void PeerHealthChecker::on_event(Instant at, std::size_t process, const Node& node, const Event& event) {
    static_cast<void>(node);
    if (event.kind != EventKind::peer_alive && event.kind != EventKind::peer_suspect && event.kind != EventKind::peer_dead) return;
    Watcher& watcher = watcher_of(process);
    EventKind& told = watcher.told[event.node.value()];
    if (event.kind == EventKind::peer_dead && awake(at, process, watcher)) {
        verdict_.check(suspected_, told == EventKind::peer_suspect, at,
                       [&] { return text(process, event.node) + ": it is dead, and was not suspect before"; });
    }
    told = event.kind;
}

void PeerHealthChecker::on_crash(Instant at, std::size_t process, const Node& node) {
    static_cast<void>(at), static_cast<void>(node);
    watcher_of(process) = {};
}

}  // namespace dunlin::sim
