#include "event_log.hpp"

#include "names.hpp"
#include "tool_error.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace dunlin_tool {

std::optional<std::string> tell(const dunlin::Event& event) {
    using dunlin::EventKind;
    const std::string node = "node " + std::to_string(event.node.value());
    const std::string value = std::to_string(event.value);
    const std::string detail = std::to_string(event.detail);
    switch (event.kind) {
        case EventKind::started: return "started, boot epoch " + value;
        case EventKind::session_opened: return "session with " + node + " open";
        case EventKind::session_closed: return "session with " + node + " closed";
        case EventKind::peer_alive: return node + " is alive";
        case EventKind::peer_suspect: return node + " is suspected to be down";
        case EventKind::peer_dead: return node + " is down";
        case EventKind::identity_conflict:
            return "another process uses this node's id, or it is a voter's with another journal, says " + node;
        case EventKind::circuit_opened: return node + " does not answer this node's ledger calls: others are asked";
        case EventKind::circuit_closed: return node + " answers ledger calls again";
        case EventKind::bound: return "this node belongs to its cluster now";
        case EventKind::role_changed:
            return "now " + std::string(to_string(static_cast<dunlin::consensus::Role>(event.value))) + " in term " + detail;
        case EventKind::leader_changed: return (event.node == dunlin::NodeId{} ? "no leader known" : node + " leads") + ", term " + value;
        case EventKind::committed: return "first commit as leader of term " + detail + ", at index " + value;
        case EventKind::snapshot_installed: return "caught up by an image of the ledger at index " + value;
        case EventKind::diverged:
            return "this voter has stopped: its replica cannot be trusted (" + std::string(to_string(event.status)) + ")";
        case EventKind::failed: return "this node has stopped: " + std::string(to_string(event.status));
        case EventKind::message_fenced:
            return "a message of " + node + " under the old token " + value + " was fenced; the floor is " + detail;
        case EventKind::events_lost: return value + " events had no room";
        default: return std::nullopt;
    }
}

EventFile::EventFile(const std::string& path) : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) throw ToolError(kCannotStart, "cannot write the event file '" + path + "': " + std::strerror(errno) + ".");
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::write(const nlohmann::ordered_json& line) {
    const std::string text = line.dump() + "\n";
    if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw ToolError(kFailed, std::string("cannot write the event file: ") + std::strerror(errno) + ".");
    }
}

}  // namespace dunlin_tool
