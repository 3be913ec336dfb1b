#include "life.hpp"

#include "line.hpp"

#include <dunlin/consensus/types.hpp>

namespace station {

void tell_life(dunlin::Instant now, const dunlin::Event& event) {
    using dunlin::EventKind;
    const Field node{"node", event.node.value()};
    const Field token{"token", event.value};
    const Field reason{"reason", dunlin::to_string(event.status)};
    switch (event.kind) {
        case EventKind::outcome: return tell(now, "outcome", {{"id", event.id}, node, {"outcome", dunlin::to_string(event.outcome)}});
        case EventKind::session_opened: return tell(now, "session", {node, {"epoch", event.value}});
        case EventKind::session_closed: return tell(now, "session_closed", {node});
        case EventKind::identity_conflict: return tell(now, "conflict", {node});
        case EventKind::bound: return tell(now, "bound", {{"cluster", Hexadecimal(event.value).text()}});
        case EventKind::role_changed: {
            const auto role = static_cast<dunlin::consensus::Role>(event.value);
            return tell(now, "role", {{"role", dunlin::consensus::to_string(role)}, {"term", event.detail}});
        }
        case EventKind::leader_changed: return tell(now, "leader", {node, {"term", event.value}});
        case EventKind::diverged: return tell(now, "diverged", {reason});
        case EventKind::lease_held: return tell(now, "lease_held", {token});
        case EventKind::lease_jeopardy: return tell(now, "lease_jeopardy");
        case EventKind::lease_lost: return tell(now, "lease_lost", {token});
        case EventKind::message_fenced: return tell(now, "fenced", {node, token, {"floor", event.detail}});
        case EventKind::failed: return tell(now, "failed", {reason});
        case EventKind::events_lost: return tell(now, "events_lost", {{"count", event.value}});
        default: return;
    }
}

}  // namespace station
