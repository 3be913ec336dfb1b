#include <dunlin_sim/checkers/session_model.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

SessionModel::SessionModel(Verdict& verdict, const LedgerLimits& limits)
    : verdict_(verdict),
      once_(verdict.expect("a retry is answered, not executed", Verdict::Occasion::rare)),
      evicted_(verdict.expect("who was idle longest is evicted", Verdict::Occasion::rare)),
      sessions_max_(limits.sessions) {}

SessionModel::Session* SessionModel::find(std::uint64_t id) {
    const auto found = std::ranges::find(sessions_, id, &Session::id);
    return found == sessions_.end() ? nullptr : &*found;
}

Status SessionModel::open(LogIndex index, const ledger::CommandHead& head) {
    if (const Session* const known = find(head.session)) return known->node == head.node ? Status::ok : Status::session_evicted;
    const auto own = std::ranges::find(sessions_, head.node, &Session::node);
    if (own != sessions_.end() && ledger::opened_before(head.session, own->id)) return Status::stale_sequence;
    if (own != sessions_.end()) {
        sessions_.erase(own);
    } else if (sessions_.size() >= sessions_max_) {
        sessions_.erase(std::ranges::min_element(sessions_, {}, &Session::last_used));
    }
    sessions_.push_back({.id = head.session, .last_used = index.value(), .node = head.node});
    return Status::ok;
}

bool SessionModel::applied(Instant at, LogIndex index, const ledger::CommandHead& head, bool opens, const ledger::ApplyResult& result) {
    const auto who = [&] {
        return "entry " + std::to_string(index.value()) + ": command " + std::to_string(head.sequence) + " of node " +
               std::to_string(head.node) + " is answered " + std::string(to_string(result.command.status)) +
               (result.repeated ? " as a retry" : "");
    };
    if (opens) {
        const Status expected = open(index, head);
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
