#include <dunlin_sim/checkers/session_model.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

SessionModel::SessionModel(Verdict& verdict, const LedgerLimits& limits)
    : verdict_(verdict),
      once_(verdict.expect("a retry is answered, not executed", Verdict::Occasion::rare)),
      gone_(verdict.expect("a session that is gone stays gone", Verdict::Occasion::rare)),
      evicted_(verdict.expect("who was idle longest is evicted", Verdict::Occasion::rare)),
      sessions_max_(limits.sessions) {}

SessionModel::Session* SessionModel::find(std::uint64_t id) {
    const auto found = std::ranges::find(sessions_, id, &Session::id);
    return found == sessions_.end() ? nullptr : &*found;
}

// One that is gone may be asked for as of any index before its last use.
Status SessionModel::open(LogIndex index, const ledger::CommandHead& head, std::uint64_t as_of) {
    if (const Session* const known = find(head.session)) return known->node == head.node ? Status::ok : Status::stale_sequence;
    if (std::ranges::any_of(gone_last_used_, [as_of](const auto& gone) { return gone.second > as_of; })) return Status::stale_sequence;
    auto ends = std::ranges::find(sessions_, head.node, &Session::node);
    if (ends == sessions_.end() && sessions_.size() >= sessions_max_) ends = std::ranges::min_element(sessions_, {}, &Session::last_used);
    if (ends != sessions_.end()) {
        gone_last_used_[ends->id] = ends->last_used;
        sessions_.erase(ends);
    }
    sessions_.push_back({.id = head.session, .last_used = index.value(), .node = head.node});
    return Status::ok;
}

void SessionModel::members_changed(LogIndex index, const ledger::CommandHead& head, const ledger::CommandResult& answer) {
    Session* const session = find(head.session);
    if (session == nullptr || session->node != head.node || session->sequence >= head.sequence) return;
    session->sequence = head.sequence;
    session->last_used = index.value();
    session->answer = answer;
}

bool SessionModel::applied(Instant at, LogIndex index, const ledger::CommandHead& head, const ledger::OpenSessionCommand* opening,
                           const ledger::ApplyResult& result) {
    const auto who = [&] {
        return "entry " + std::to_string(index.value()) + ": command " + std::to_string(head.sequence) + " of node " +
               std::to_string(head.node) + " is answered " + std::string(to_string(result.command.status)) +
               (result.repeated ? " as a retry" : "");
    };
    if (opening != nullptr) {
        if (gone_last_used_.contains(head.session)) verdict_.check(gone_, result.command.status != Status::ok, at, who);
        const Status expected = open(index, head, opening->as_of);
        verdict_.check(evicted_, result.command.status == expected, at, who);
        return false;
    }
    Session* const session = find(head.session);
    const bool there = session != nullptr && session->node == head.node;
    verdict_.check(evicted_, (result.command.status == Status::session_evicted) == !there, at, who);
    if (!there) return false;
    const bool repeated = head.sequence <= session->sequence;
    const bool last = repeated && head.sequence == session->sequence && head.sequence != 0;
    const ledger::CommandResult& answer = result.command;
    const bool same =
        answer.status == session->answer.status && answer.detail == session->answer.detail && answer.value == session->answer.value;
    verdict_.check(once_, result.repeated == repeated && (!repeated || (last ? same : answer.status == Status::stale_sequence)), at, who);
    if (repeated) return false;
    session->sequence = head.sequence;
    session->last_used = index.value();
    session->answer = answer;
    return true;
}

}  // namespace dunlin::sim
