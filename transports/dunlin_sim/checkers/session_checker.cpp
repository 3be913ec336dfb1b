#include <dunlin_sim/checkers/session_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

SessionChecker::Seen& SessionChecker::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(process + 1);
    return seen_[process];
}

BootEpoch& SessionChecker::known(Seen& seen, NodeId node) {
    if (seen.known.size() <= node.value()) seen.known.resize(node.value() + std::size_t{1});
    return seen.known[node.value()];
}

void SessionChecker::on_event(Instant at, std::size_t process, const Event& event) {
    if (event.kind != EventKind::session_opened) return;
    const BootEpoch epoch{static_cast<std::uint32_t>(event.value)};
    BootEpoch& latest = known(seen_of(process), event.node);
    verdict_.check(earlier_, epoch >= latest, at, [&] {
        return "process " + std::to_string(process) + " opens a session with epoch " + std::to_string(epoch.value()) + " of node " +
               std::to_string(event.node.value()) + ", after one with epoch " + std::to_string(latest.value());
    });
    latest = std::max(latest, epoch);
}

void SessionChecker::on_receive(std::size_t process, std::span<const std::byte> bytes) {
    const auto header = wire::load<wire::PacketHeader>(bytes);
    Seen& seen = seen_of(process);
    const NodeId source{header.source()};
    const BootEpoch epoch{header.epoch()};
    const bool stale = epoch < known(seen, source);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::hello) return;
        const std::uint64_t nonce = record.as<wire::Hello>().nonce();
        Hello& latest = seen.latest[source];
        if (!stale && epoch >= latest.epoch) latest = {epoch, nonce};
        // Who learns from a refusal that it is in a later epoch says so under the nonce that it has; what it said before may come after.
        if (stale && nonce != latest.nonce) seen.stale[seen.next++ % kStaleMax] = nonce;
        if (!stale) std::ranges::replace(seen.stale, nonce, 0);
    });
}

void SessionChecker::on_send(Instant at, std::size_t process, std::span<const std::byte> bytes) {
    const Seen& seen = seen_of(process);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::hello) return;
        const std::uint64_t echo = record.as<wire::Hello>().echo();
        verdict_.check(earlier_, echo == 0 || std::ranges::find(seen.stale, echo) == seen.stale.end(), at, [&] {
            return "process " + std::to_string(process) + " answers a hello of an earlier life of node " +
                   std::to_string(wire::load<wire::PacketHeader>(bytes).destination());
        });
    });
}

void SessionChecker::on_crash(std::size_t process) { seen_of(process) = {}; }

}  // namespace dunlin::sim
