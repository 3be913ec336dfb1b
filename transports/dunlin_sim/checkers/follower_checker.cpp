#include <dunlin_sim/checkers/follower_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace dunlin::sim {

FollowerChecker::FollowerChecker(World& world, Verdict& verdict)
    : world_(world), verdict_(verdict), shown_(verdict.expect("commits what it was shown", Verdict::Occasion::rare)) {}

FollowerChecker::Seen& FollowerChecker::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(process + 1);
    return seen_[process];
}

void FollowerChecker::on_receive(std::size_t process, std::span<const std::byte> bytes) {
    Seen& seen = seen_of(process);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type == wire::RecordType::append) {
            const auto append = record.as<wire::Append>();
            const LogIndex last = LogIndex{append.prev_index()}.plus(append.entry_count());
            seen.shown = std::max(seen.shown, std::min(LogIndex{append.commit()}, last));
        }
        if (record.type == wire::RecordType::snapshot_chunk)
            seen.image = std::max(seen.image, LogIndex{record.as<wire::SnapshotChunk>().index()});
    });
}

void FollowerChecker::on_event(std::size_t process, const Event& event) {
    if (event.kind != EventKind::role_changed) return;
    Seen& seen = seen_of(process);
    seen.leads = static_cast<consensus::Role>(event.value) == consensus::Role::leader;
    seen.led |= seen.leads;
}

void FollowerChecker::on_step(Instant at, std::size_t process, const Node& node) {
    Seen& seen = seen_of(process);
    const LogIndex shown = std::max(seen.shown, seen.image);
    seen.shown = {};
    const bool led = std::exchange(seen.led, seen.leads);
    const std::uint32_t progress = node.counters().get(Counter::entries_committed);
    if (progress == seen.progress && seen.recovered) return;
    const StatusReport report = node.status(world_.local_now(process));
    // Recovery takes in what the journal says.
    if (seen.recovered && !led && shown != LogIndex{}) {
        verdict_.check(shown_, report.commit <= std::max(shown, seen.commit), at, [&] {
            return "process " + std::to_string(process) + " takes entry " + std::to_string(report.commit.value()) +
                   " for committed, and was shown no more than entry " + std::to_string(shown.value());
        });
    }
    seen.progress = progress;
    seen.commit = report.commit;
    seen.recovered = report.role != consensus::Role::member;
}

void FollowerChecker::on_crash(std::size_t process) { seen_of(process) = {}; }

}  // namespace dunlin::sim
