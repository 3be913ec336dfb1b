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

CommitChecker::CommitChecker(World& world, Verdict& verdict, DurableStates& durable, std::vector<std::size_t> voters)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      voters_(std::move(voters)),
      majority_(verdict.expect("committed on a majority", Verdict::Occasion::rare)),
      own_term_(verdict.expect("committed in its own term", Verdict::Occasion::rare)),
      completeness_(verdict.expect("leader completeness", Verdict::Occasion::rare)),
      good_(verdict.expect("committed for good", Verdict::Occasion::rare)),
      is_voter_(voters_.empty() ? 0 : std::ranges::max(voters_) + 1),
      seen_(is_voter_.size()) {
    for (const std::size_t voter : voters_) is_voter_[voter] = true;
}

// Of a voter that was given another disk nothing counts any more.
bool CommitChecker::same_disk(std::size_t process) {
    Seen& seen = seen_[process];
    const StorageId storage = durable_.of(process).storage();
    if (seen.storage == StorageId{}) seen.storage = storage;
    return seen.storage == storage;
}

// A disk that is away for a while is taken to hold what it is to hold when it is back.
std::size_t CommitChecker::holders(LogIndex index, Term term) {
    return static_cast<std::size_t>(
        std::ranges::count_if(voters_, [&](std::size_t voter) { return !same_disk(voter) || durable_.of(voter).holds(index, term); }));
}

// The term that a majority has at `index`; 0: there is none.
Term CommitChecker::term_on_disks(LogIndex index) {
    for (const std::size_t voter : voters_) {
        const DurableState::Entry* const entry = durable_.of(voter).entry(index);
        if (entry != nullptr && holders(index, entry->term) >= majority()) return entry->term;
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
    check_disk(at, process, seen);
    if (seen.leads != Term{} && seen.owed != LogIndex{}) check_completeness(at, process, seen);
}

void CommitChecker::check_commit(Instant at, std::size_t process, const StatusReport& report) {
    if (report.commit <= committed()) return;
    // What it may be comes first: while a disk is away, there may seem to be a majority for two.
    const bool leads = report.role == consensus::Role::leader;
    const Term term = leads && holders(report.commit, report.term) >= majority() ? report.term : term_on_disks(report.commit);
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
    take(at, report.commit, term, report.term);
}

void CommitChecker::take(Instant at, LogIndex commit, Term term, Term seen_in) {
    const auto source = std::ranges::find_if(voters_, [&](std::size_t voter) {
        const DurableState& disk = durable_.of(voter);
        return disk.base() <= committed() && disk.entry(commit) != nullptr && disk.holds(commit, term);
    });
    for (LogIndex index = committed().next(); index <= commit; index = index.next()) {
        const DurableState::Entry* const entry = source == voters_.end() ? nullptr : durable_.of(*source).entry(index);
        terms_.push_back(entry != nullptr ? entry->term : Term{});
        seen_in_.push_back(seen_in);
        if (entry != nullptr && on_committed) on_committed(at, index, *entry);
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
