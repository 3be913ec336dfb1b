#include <dunlin_sim/checkers/commit_checker.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

std::string text(std::size_t process) { return "process " + std::to_string(process); }
template <class Id>
std::string number(Id id) {
    return std::to_string(id.value());
}

}  // namespace

CommitChecker::CommitChecker(World& world, Verdict& verdict, DurableStates& durable, Configurations& configurations)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      configurations_(configurations),
      majority_(verdict.expect("committed on a majority", Verdict::Occasion::rare)),
      own_term_(verdict.expect("committed in its own term", Verdict::Occasion::rare)),
      completeness_(verdict.expect("leader completeness", Verdict::Occasion::rare)),
      good_(verdict.expect("committed for good", Verdict::Occasion::rare)),
      seen_(configurations.hosts().empty() ? 0 : std::ranges::max(configurations.hosts()) + 1) {}

// Of a voter that was given another disk nothing counts any more.
bool CommitChecker::same_disk(std::size_t process) {
    Seen& seen = seen_[process];
    const StorageId storage = durable_.of(process).storage();
    if (seen.storage == StorageId{}) seen.storage = storage;
    return seen.storage == storage;
}

// A disk that is away for a while is taken to hold what it is to hold when it is back.
bool CommitChecker::on_majority(Instant at, LogIndex index, Term term) {
    Processes holders = 0;
    for (const std::size_t host : configurations_.hosts()) {
        if (!same_disk(host) || durable_.of(host).holds(index, term)) holders |= set_of(host);
    }
    return configurations_.majority_for(at, index, term, holders, terms_);
}

// The term that a majority has at `index`; 0: there is none.
Term CommitChecker::term_on_disks(Instant at, LogIndex index) {
    for (const std::size_t host : configurations_.hosts()) {
        const DurableState::Entry* const entry = durable_.of(host).entry(index);
        if (entry != nullptr && on_majority(at, index, entry->term)) return entry->term;
    }
    return Term{};
}

// ---- Commits ------------------------------------------------------------------------------------------------------------------

void CommitChecker::on_step(Instant at, std::size_t process, const Node& node) {
    if (!votes(process)) return;
    Seen& seen = seen_[process];
    const std::uint32_t progress = node.counters().get(Counter::entries_committed);
    if (progress == seen.progress) return;
    seen.progress = progress;
    check_commit(at, process, node.status(world_.local_now(process)));
}

void CommitChecker::on_durable(Instant at, std::size_t process) {
    if (!votes(process) || !same_disk(process)) return;
    Seen& seen = seen_[process];
    configurations_.on_durable(process, terms_);
    check_disk(at, process, seen);
    if (seen.leads != Term{} && seen.owed != LogIndex{}) check_completeness(at, process, seen);
}

void CommitChecker::check_commit(Instant at, std::size_t process, const StatusReport& report) {
    if (report.commit <= committed()) return;
    // What it may be comes first: while a disk is away, there may seem to be a majority for two.
    const bool leads = report.role == consensus::Role::leader;
    const Term term = leads && on_majority(at, report.commit, report.term) ? report.term : term_on_disks(at, report.commit);
    verdict_.check(majority_, term != Term{}, at, [&] {
        return text(process) + " takes entry " + number(report.commit) + " for committed, which no majority has on its disks";
    });
    if (term == Term{}) return;
    if (leads) {
        verdict_.check(own_term_, term == report.term, at, [&] {
            return text(process) + ", leader of term " + number(report.term) + ", has committed entry " + number(report.commit) +
                   " of term " + number(term);
        });
    }
    take(at, report.commit, term, report);
}

void CommitChecker::take(Instant at, LogIndex commit, Term term, const StatusReport& report) {
    const auto hosts = configurations_.hosts();
    const auto source = std::ranges::find_if(hosts, [&](std::size_t host) {
        const DurableState& disk = durable_.of(host);
        return disk.base() <= committed() && disk.entry(commit) != nullptr && disk.holds(commit, term);
    });
    for (LogIndex index = committed().next(); index <= commit; index = index.next()) {
        const DurableState::Entry* const entry = source == hosts.end() ? nullptr : durable_.of(*source).entry(index);
        terms_.push_back(entry != nullptr ? entry->term : Term{});
        seen_in_.push_back(report.term);
        if (entry == nullptr) continue;
        configurations_.committed(index, *entry, report.leader);
        if (on_committed) on_committed(at, index, *entry);
    }
}

void CommitChecker::check_disk(Instant at, std::size_t process, Seen& seen) {
    const DurableState& disk = durable_.of(process);
    if (seen.held != LogIndex{}) {
        verdict_.check(good_, disk.holds(seen.held, term_at(seen.held)), at,
                       [&] { return "the disk of " + text(process) + " held the committed entry " + number(seen.held) + " and lost it"; });
    }
    const LogIndex last = std::min(disk.last_index(), committed());
    if (last > seen.held && disk.holds(last, term_at(last))) seen.held = last;
}

// ---- Elections ----------------------------------------------------------------------------------------------------------------

void CommitChecker::on_event(Instant at, std::size_t process, const Node& node, const Event& event) {
    if (!votes(process) || event.kind != EventKind::role_changed) return;
    Seen& seen = seen_[process];
    const bool elected = event.value == static_cast<std::uint64_t>(consensus::Role::leader);
    seen.leads = elected ? Term{event.detail} : Term{};
    seen.owed = elected ? committed_before(seen.leads) : LogIndex{};
    if (!elected) return;
    const LogIndex last = node.status(world_.local_now(process)).last_index;
    verdict_.check(completeness_, last >= seen.owed, at, [&] {
        return text(process) + " was elected in term " + number(seen.leads) + " with a log up to " + number(last) + ", when entry " +
               number(seen.owed) + " was committed";
    });
}

LogIndex CommitChecker::committed_before(Term term) const {
    LogIndex index = committed();
    while (index != LogIndex{} && seen_in_[index.value() - 1] >= term) index = index.previous();
    return index;
}

// Once an entry of its term is on its disk, so is all that it had when it was elected.
void CommitChecker::check_completeness(Instant at, std::size_t process, Seen& seen) {
    const DurableState& disk = durable_.of(process);
    if (disk.last_term() != seen.leads) return;
    for (LogIndex index = std::max(disk.base().next(), LogIndex{1}); index <= seen.owed; index = index.next()) {
        if (term_at(index) == Term{}) continue;
        verdict_.check(completeness_, disk.holds(index, term_at(index)), at, [&] {
            return text(process) + " was elected in term " + number(seen.leads) + " without the committed entry " + number(index) +
                   " of term " + number(term_at(index));
        });
    }
    seen.owed = {};
}

bool CommitChecker::leads_with_entry(std::size_t process) const {
    return votes(process) && seen_[process].leads != Term{} && !terms_.empty() && terms_.back() == seen_[process].leads;
}

void CommitChecker::on_crash(std::size_t process) {
    if (!votes(process)) return;
    Seen& seen = seen_[process];
    seen.progress = 0;
    seen.leads = {};
    seen.owed = {};
}

}  // namespace dunlin::sim
