#include <dunlin/core/status.hpp>

namespace dunlin {

std::string_view to_string(Status status) {
    switch (status) {
        case Status::ok: return "ok";
        case Status::outbox_full: return "outbox_full";
        case Status::table_full: return "table_full";
        case Status::too_large: return "too_large";
        case Status::busy: return "busy";
        case Status::invalid_argument: return "invalid_argument";
        case Status::invalid_topic: return "invalid_topic";
        case Status::invalid_filter: return "invalid_filter";
        case Status::not_found: return "not_found";
        case Status::no_subscriber: return "no_subscriber";
        case Status::recovering: return "recovering";
        case Status::shutting_down: return "shutting_down";
        case Status::peer_unreachable: return "peer_unreachable";
        case Status::no_quorum: return "no_quorum";
        case Status::not_leader: return "not_leader";
        case Status::timed_out: return "timed_out";
        case Status::session_evicted: return "session_evicted";
        case Status::lease_held: return "lease_held";
        case Status::lease_lost: return "lease_lost";
        case Status::ledger_full: return "ledger_full";
        case Status::stale_sequence: return "stale_sequence";
        case Status::corrupt: return "corrupt";
        case Status::foreign_cluster: return "foreign_cluster";
        case Status::unsupported_version: return "unsupported_version";
        case Status::blank: return "blank";
        case Status::device_error: return "device_error";
        case Status::device_full: return "device_full";
        case Status::fenced: return "fenced";
        case Status::voter_journal: return "voter_journal";
    }
    return "unknown";
}

}  // namespace dunlin
