#include "life.hpp"

#include "line.hpp"

#include <dunlin/consensus/types.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace station {
namespace {

using dunlin::EventKind;

// How an event is told: its name, and the names of those of its fields that count. A table takes less flash than a call for each.
struct Telling {
    EventKind kind;
    bool tells_node;
    const char* name;
    const char* value;   // null: does not count
    const char* detail;  // as value
};
constexpr Telling kTellings[] = {
    {EventKind::session_opened, true, "session", "epoch", nullptr},
    {EventKind::session_closed, true, "session_closed", nullptr, nullptr},
    {EventKind::identity_conflict, true, "conflict", nullptr, nullptr},
    {EventKind::leader_changed, true, "leader", "term", nullptr},
    {EventKind::lease_held, false, "lease_held", "token", nullptr},
    {EventKind::lease_jeopardy, false, "lease_jeopardy", nullptr, nullptr},
    {EventKind::lease_lost, false, "lease_lost", "token", nullptr},
    {EventKind::message_fenced, true, "fenced", "token", "floor"},
    {EventKind::events_lost, false, "events_lost", "count", nullptr},
};

void tell_numbers(dunlin::Instant now, const dunlin::Event& event) {
    for (const Telling& telling : kTellings) {
        if (telling.kind != event.kind) continue;
        std::array<Field, 3> fields{Field{"", 0}, Field{"", 0}, Field{"", 0}};
        std::size_t count = 0;
        if (telling.tells_node) fields[count++] = {"node", event.node.value()};
        if (telling.value != nullptr) fields[count++] = {telling.value, event.value};
        if (telling.detail != nullptr) fields[count++] = {telling.detail, event.detail};
        return tell(now, telling.name, std::span<const Field>(fields).first(count));
    }
}

}  // namespace

void tell_life(dunlin::Instant now, const dunlin::Event& event) {
    switch (event.kind) {
        case EventKind::outcome:
            return tell(now, "outcome", {{"id", event.id}, {"node", event.node.value()}, {"outcome", dunlin::to_string(event.outcome)}});
        case EventKind::bound: return tell(now, "bound", {{"cluster", Hexadecimal(event.value).text()}});
        case EventKind::role_changed: {
            const auto role = static_cast<dunlin::consensus::Role>(event.value);
            return tell(now, "role", {{"role", dunlin::consensus::to_string(role)}, {"term", event.detail}});
        }
        case EventKind::diverged: return tell(now, "diverged", {{"reason", dunlin::to_string(event.status)}});
        case EventKind::failed: return tell(now, "failed", {{"reason", dunlin::to_string(event.status)}});
        default: return tell_numbers(now, event);
    }
}

}  // namespace station
