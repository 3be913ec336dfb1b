#include <dunlin_sim/checkers/change_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

template <class Id>
std::string number(Id id) {
    return std::to_string(id.value());
}

bool changes_members(const DurableState::Entry* entry) { return entry != nullptr && entry->type == consensus::EntryType::members; }

}  // namespace

ChangeChecker::ChangeChecker(World& world, Verdict& verdict, DurableStates& durable, const CommitChecker& commits)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      commits_(commits),
      own_term_(verdict.expect("a change after a commit in its term", Verdict::Occasion::rare)),
      one_(verdict.expect("one change at a time", Verdict::Occasion::rare)),
      has_log_(verdict.expect("a learner has the log first", Verdict::Occasion::rare)) {}

void ChangeChecker::on_durable(Instant at, std::size_t process) {
    note_commit(at);
    const DurableState& disk = durable_.of(process);
    for (LogIndex index = std::max(disk.base(), commits_.committed()).next(); index <= disk.last_index(); index = index.next()) {
        const DurableState::Entry* const entry = disk.entry(index);
        if (changes_members(entry) && checked_.emplace(index, entry->term).second) check(at, disk, index);
    }
}

void ChangeChecker::check(Instant at, const DurableState& disk, LogIndex index) {
    const DurableState::Entry& change = *disk.entry(index);
    LogIndex first = index;
    LogIndex pending{};
    for (LogIndex before = index.previous(); before > disk.base(); before = before.previous()) {
        if (first == before.next() && disk.entry(before)->term == change.term) first = before;
        if (before > commits_.committed() && changes_members(disk.entry(before))) pending = before;
    }
    const bool known = first > disk.base().next();  // else it may have begun before what is kept here
    verdict_.check(own_term_, !known || (first < index && first <= commits_.committed()), at, [&] {
        return "a change of members is entry " + number(index) + " of term " + number(change.term) + ", which begins with entry " +
               number(first) + ", when " + number(commits_.committed()) + " were committed";
    });
    verdict_.check(one_, pending == LogIndex{}, at, [&] {
        return "a change of members is entry " + number(index) + ", and the one before it, entry " + number(pending) + ", is not committed";
    });
    const auto what = consensus::change_in(change.payload);
    if (what && static_cast<consensus::ChangeOp>(what->op) == consensus::ChangeOp::promote) check_promotion(at, index, *what);
}

// A disk that is away for a while is taken to hold what it is to hold when it is back.
void ChangeChecker::check_promotion(Instant at, LogIndex index, const consensus::ConfigChange& what) {
    const NodeId node{what.node};
    for (std::size_t process = 0; process < world_.size(); ++process) {
        if (world_.process(process).setup.options.id != node || durable_.of(process).storage() != StorageId{what.storage}) continue;
        const LogIndex owed = commits_seen_.front().second;
        verdict_.check(has_log_, log_of(process) >= owed, at, [&] {
            return "entry " + number(index) + " promotes node " + number(node) + ", whose log ends with entry " + number(log_of(process)) +
                   ", when entry " + number(owed) + " had been committed for " + std::to_string(kBehindMax.count()) + " us";
        });
    }
}

// On its disk or in its memory.
LogIndex ChangeChecker::log_of(std::size_t process) {
    const LogIndex synced = durable_.of(process).last_index();
    return world_.running(process) ? std::max(synced, world_.node(process).status(world_.local_now(process)).last_index) : synced;
}

void ChangeChecker::note_commit(Instant at) {
    if (commits_seen_.empty() || commits_seen_.back().second != commits_.committed()) commits_seen_.emplace_back(at, commits_.committed());
    while (commits_seen_.size() > 1 && at - commits_seen_[1].first > kBehindMax) commits_seen_.pop_front();
}

}  // namespace dunlin::sim
