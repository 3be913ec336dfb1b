// The part of Client that reads answers.
#include <dunlin/ledger/client.hpp>
#include <dunlin/resilience/error_class.hpp>

#include <algorithm>

namespace dunlin::ledger {
namespace {

bool is_refusal(Status status) { return resilience::worth_retrying(resilience::classify(status)); }

}  // namespace

bool Client::on_record(Instant now, NodeId from, const wire::Record& record) {
    if (record.type == wire::RecordType::command_reply || record.type == wire::RecordType::read_reply) on_answer(from);
    switch (record.type) {
        case wire::RecordType::voter_set: {
            const VoterSetReader voters(record);
            std::array<NodeId, kVotersMax> nodes{};
            for (std::size_t i = 0; i < voters.count(); ++i) nodes[i] = NodeId{voters.voter(i).node};
            if (voters.count() == 0) counters_->add(Counter::records_malformed);
            set_voters(now, voters.index(), std::span(nodes).first(voters.count()));
            return true;
        }
        case wire::RecordType::command_reply:
            if (is_target(from)) on_command_reply(now, from, record.as<wire::CommandReply>());
            return true;
        case wire::RecordType::read_reply:
            if (is_target(from)) on_read_reply(now, from, record);
            return true;
        default: return false;
    }
}

void Client::on_command_reply(Instant now, NodeId from, const wire::CommandReply& reply) {
    Request* request = first_command();
    if (request == nullptr || session_state_ == SessionState::none || reply.session() != session_) return;
    const Status status = static_cast<Status>(reply.status());
    const bool opening = reply.sequence() == 0;
    if (opening ? session_state_ != SessionState::opening : request->sequence != reply.sequence()) return;
    if (is_refusal(status)) {  // of another attempt, it says nothing about this one
        if (request->awaiting && reply.attempt() == request->attempt) on_refusal(now, from, *request, status, NodeId{reply.leader()});
        return;
    }
    on_leader(now);
    redirects_ = 0;
    if (opening) {
        on_session_reply(now, reply, *request);
    } else if (status == Status::session_evicted) {
        on_session_evicted(now, reply.value(), *request);
    } else {
        if (status == Status::stale_sequence) request->effect = Effect::unknown;
        finish(now, *request, status, reply.value(), reply.detail());
    }
}

// stale_sequence: the id drawn is another node's, or could be that of a session that is gone, which the next one cannot.
void Client::on_session_reply(Instant now, const wire::CommandReply& reply, Request& request) {
    const Status status = static_cast<Status>(reply.status());
    if (status == Status::ok) {
        session_state_ = SessionState::open;
        owe(now, request);
    } else if (status == Status::stale_sequence) {
        session_state_ = SessionState::none;
        opening_.as_of = reply.value();
        owe(now, request);
    } else {
        session_state_ = SessionState::none;
        finish(now, request, status);
    }
}

// What was sent once was refused by this very answer, so it has not run; of what was sent before, nobody can tell.
void Client::on_session_evicted(Instant now, std::uint64_t applied, Request& request) {
    session_state_ = SessionState::none;
    opening_.as_of = applied;
    if (request.times_sent > 1) {
        request.effect = Effect::unknown;
        finish(now, request, Status::session_evicted);
        return;
    }
    request.sequence = 0;
    request.times_sent = 0;
    owe(now, request);
}

void Client::on_read_reply(Instant now, NodeId from, const wire::Record& record) {
    const wire::ReadReply reply = record.as<wire::ReadReply>();
    const auto match = std::ranges::find_if(requests_, [&reply](const Request& request) {
        return request.state == RequestState::active && !is_command(request.kind) && request.awaiting &&
               request.wire_number() == reply.request();
    });
    if (match == requests_.end()) return;
    const Status status = static_cast<Status>(reply.status());
    if (is_refusal(status)) {
        on_refusal(now, from, *match, status, NodeId{reply.leader()});
        return;
    }
    on_leader(now);
    redirects_ = 0;
    if (record.bytes.size() > value_bytes_) {
        finish(now, *match, Status::too_large);
        return;
    }
    std::ranges::copy(record.bytes, value_of(*match).begin());
    match->value_length = static_cast<std::uint16_t>(record.bytes.size());
    finish(now, *match, status, reply.revision(), reply.detail());
}

void Client::on_leader(Instant now) {
    leader_evidence_ = now;
    no_quorum_ = false;
}

// A hint is followed at once, but only twice in a row: two voters may each believe in the other.
void Client::on_refusal(Instant now, NodeId from, Request& request, Status status, NodeId leader) {
    if (resilience::classify(status) == resilience::ErrorClass::overload) {
        on_leader(now);
        retry_later(now, request);
        return;
    }
    on_not_leader(now, from, leader);
    if (leader != NodeId{}) no_quorum_ = false;
    if (no_quorum_ && request.requester == Requester::application) {  // others would ask again at once
        give_up(now, request, Status::no_quorum);
        return;
    }
    if (leader != NodeId{} && target() == leader && leader != from && redirects_ < 2 && retries_.take(now, *random_)) {
        ++redirects_;
        owe(now, request);
    } else {
        retry_later(now, request);
    }
}

}  // namespace dunlin::ledger
