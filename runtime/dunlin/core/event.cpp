#include <dunlin/core/event.hpp>

namespace dunlin {

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::none: return "none";
        case Outcome::acknowledged: return "acknowledged";
        case Outcome::expired: return "expired";
        case Outcome::rejected: return "rejected";
        case Outcome::fenced: return "fenced";
        case Outcome::subscriber_gone: return "subscriber_gone";
        case Outcome::peer_removed: return "peer_removed";
        case Outcome::retry_budget: return "retry_budget";
        case Outcome::skipped: return "skipped";
    }
    return "unknown";
}

std::string_view to_string(EventKind kind) {
    switch (kind) {
        case EventKind::none: return "none";
        case EventKind::started: return "started";
        case EventKind::outcome: return "outcome";
        case EventKind::session_opened: return "session_opened";
        case EventKind::session_closed: return "session_closed";
        case EventKind::peer_alive: return "peer_alive";
        case EventKind::peer_suspect: return "peer_suspect";
        case EventKind::peer_dead: return "peer_dead";
        case EventKind::identity_conflict: return "identity_conflict";
        case EventKind::subscribed: return "subscribed";
        case EventKind::unsubscribed: return "unsubscribed";
        case EventKind::bound: return "bound";
        case EventKind::role_changed: return "role_changed";
        case EventKind::leader_changed: return "leader_changed";
        case EventKind::committed: return "committed";
        case EventKind::snapshot_installed: return "snapshot_installed";
        case EventKind::diverged: return "diverged";
        case EventKind::request_done: return "request_done";
        case EventKind::lease_held: return "lease_held";
        case EventKind::lease_jeopardy: return "lease_jeopardy";
        case EventKind::lease_lost: return "lease_lost";
        case EventKind::circuit_opened: return "circuit_opened";
        case EventKind::circuit_closed: return "circuit_closed";
        case EventKind::message_fenced: return "message_fenced";
        case EventKind::key_table_full: return "key_table_full";
        case EventKind::failed: return "failed";
        case EventKind::events_lost: return "events_lost";
    }
    return "unknown";
}

void EventQueue::push(const Event& event) {
    if (ring_.push(event)) return;
    if (lost_ == 0) before_loss_ = ring_.size();
    ++lost_;
    counters_->add(Counter::events_dropped);
}

Event EventQueue::pop() {
    if (lost_ > 0 && before_loss_ == 0) {
        Event event{};
        event.kind = EventKind::events_lost;
        event.value = lost_;
        lost_ = 0;
        return event;
    }
    if (ring_.empty()) return {};
    if (lost_ > 0) --before_loss_;
    const Event event = ring_.front();
    ring_.pop();
    return event;
}

}  // namespace dunlin
