#include <dunlin/core/assert.hpp>
#include <dunlin/ledger/client.hpp>
#include <dunlin/resilience/error_class.hpp>

#include <algorithm>

namespace dunlin::ledger {
namespace {

bool is_command(RequestKind kind) { return kind == RequestKind::acquire || kind == RequestKind::release || kind == RequestKind::put; }

bool is_refusal(Status status) { return resilience::worth_retrying(resilience::classify(status)); }

// Whether request `a` was made before `b`; numbers wrap.
bool before(const Request& a, const Request& b) { return static_cast<std::int32_t>(a.id.value() - b.id.value()) < 0; }

std::string_view name_of(const Request& request) { return {request.name.data(), request.name_length}; }

CommandType command_of(RequestKind kind) {
    switch (kind) {
        case RequestKind::acquire: return CommandType::acquire;
        case RequestKind::release: return CommandType::release;
        default: return CommandType::put;
    }
}

static_assert(kKeyNameBytesMax == kLeaseNameBytesMax);

}  // namespace

Client::Client(const ClientStorage& storage, const ClientOptions& options, Counters& counters, Random& random, EventQueue& events)
    : requests_(storage.requests),
      values_(storage.values),
      value_bytes_(storage.value_bytes),
      options_(options),
      counters_(&counters),
      random_(&random),
      events_(&events) {
    DUNLIN_ASSERT(!requests_.empty());
    DUNLIN_ASSERT(values_.size() == requests_.size() * value_bytes_);
}

// ---- Requests and results -----------------------------------------------------------------------------------------

Result<RequestId> Client::put(Instant now, std::string_view key, std::span<const std::byte> value) {
    if (value.size() > value_bytes_) return Status::too_large;
    Request* request = nullptr;
    const Result<RequestId> id = submit(now, RequestKind::put, Requester::application, key, request);
    if (!id.ok()) return id;
    request->value_length = static_cast<std::uint16_t>(value.size());
    std::ranges::copy(value, value_of(*request).begin());
    return id;
}

Result<RequestId> Client::get(Instant now, std::string_view key) {
    Request* request = nullptr;
    return submit(now, RequestKind::get, Requester::application, key, request);
}

Result<RequestId> Client::read_lease(Instant now, std::string_view name, Requester requester) {
    Request* request = nullptr;
    return submit(now, RequestKind::read_lease, requester, name, request);
}

Result<RequestId> Client::acquire(Instant now, const AcquireCommand& command) {
    Request* request = nullptr;
    const Result<RequestId> id = submit(now, RequestKind::acquire, Requester::lease_holder, command.name, request);
    if (!id.ok()) return id;
    request->detail = static_cast<std::uint64_t>(to_us(command.ttl)) << 32U | command.holder_epoch.value();
    return id;
}

Result<RequestId> Client::release(Instant now, const ReleaseCommand& command) {
    Request* request = nullptr;
    const Result<RequestId> id = submit(now, RequestKind::release, Requester::lease_holder, command.name, request);
    if (id.ok()) request->value = command.token.value();
    return id;
}

// Takes a slot for the request, `made`, whose parameters the caller fills in.
Result<RequestId> Client::submit(Instant now, RequestKind kind, Requester requester, std::string_view name, Request*& made) {
    if (name.empty()) return Status::invalid_argument;
    if (name.size() > kKeyNameBytesMax) return Status::too_large;
    const auto free = std::ranges::find(requests_, RequestState::idle, &Request::state);
    if (free == requests_.end()) return Status::busy;
    Request& request = *free;
    request = Request{};
    if (++last_request_ == 0) last_request_ = 1;
    request.id = RequestId{last_request_};
    request.kind = kind;
    request.state = RequestState::active;
    request.requester = requester;
    request.started = now;
    request.name_length = static_cast<std::uint8_t>(name.size());
    std::ranges::copy(name, request.name.begin());
    if (eligible(request)) owe(now, request);
    made = &request;
    return request.id;
}

bool Client::has_result(Requester requester) const {
    return std::ranges::any_of(
        requests_, [requester](const Request& request) { return request.state == RequestState::done && request.requester == requester; });
}

bool Client::poll_result(Requester requester, RequestResult& result) {
    Request* oldest = nullptr;
    for (Request& request : requests_) {
        if (request.requester != requester) continue;
        if (request.state == RequestState::reported) request.state = RequestState::idle;
        if (request.state == RequestState::done && (oldest == nullptr || before(request, *oldest))) oldest = &request;
    }
    if (oldest == nullptr) return false;
    oldest->state = RequestState::reported;
    result = {};
    result.request = oldest->id;
    result.status = oldest->status;
    result.effect = oldest->effect;
    result.value = oldest->value;
    result.detail = oldest->detail;
    result.first_sent = oldest->first_sent;
    if (oldest->kind == RequestKind::get) result.bytes = value_of(*oldest).first(oldest->value_length);
    return true;
}

std::span<std::byte> Client::value_of(const Request& request) {
    return values_.subspan(static_cast<std::size_t>(&request - requests_.data()) * value_bytes_, value_bytes_);
}

// The command whose turn it is: the oldest.
Request* Client::first_command() {
    Request* first = nullptr;
    for (Request& request : requests_) {
        if (request.state != RequestState::active || !is_command(request.kind)) continue;
        if (first == nullptr || before(request, *first)) first = &request;
    }
    return first;
}

bool Client::eligible(const Request& request) const {
    if (!is_command(request.kind)) return true;
    return std::ranges::none_of(requests_, [&request](const Request& other) {
        return other.state == RequestState::active && is_command(other.kind) && before(other, request);
    });
}

void Client::finish(Instant now, Request& request, Status status, std::uint64_t value, std::uint64_t detail) {
    request.state = RequestState::done;
    request.owed = request.awaiting = false;
    request.status = status;
    request.value = value;
    request.detail = detail;
    if (!is_command(request.kind)) return;
    Request* next = first_command();
    if (next != nullptr) owe(now, *next);
}

// Ends a request without an answer of the ledger.
void Client::give_up(Instant now, Request& request, Status status) {
    if (is_command(request.kind) && request.times_sent > 0) request.effect = Effect::unknown;
    counters_->add(Counter::requests_timed_out);
    finish(now, request, status);
}

// ---- Voters -------------------------------------------------------------------------------------------------------

// target_count_: it is none.
std::uint8_t Client::find_target(NodeId node) const {
    return static_cast<std::uint8_t>(std::find(targets_.begin(), targets_.begin() + target_count_, node) - targets_.begin());
}

bool Client::is_target(NodeId node) const { return find_target(node) < target_count_; }

resilience::CircuitState Client::circuit(NodeId node) const {
    const std::uint8_t i = find_target(node);
    return i < target_count_ ? circuits_[i].state() : resilience::CircuitState::closed;
}

void Client::on_session_open(Instant now, NodeId peer) {
    if (const std::uint8_t i = find_target(peer); i < target_count_) circuits_[i].on_sign_of_life(now);
    if (voters_known_) return;
    if (!is_target(peer)) {
        if (target_count_ == targets_.size()) target_count_ = 0;  // too many who are no voters: begin anew
        circuits_[target_count_] = {};
        targets_[target_count_++] = peer;
        choose_target(peer);
    }
    voters_asked_ = true;
    ask_voters_at_ = now + options_.attempt_timeout;
}

void Client::on_session_closed(Instant now, NodeId peer) {
    on_silence(now, peer);
    for (Request& request : requests_) {
        if (request.state == RequestState::active && request.awaiting && request.asked == peer) retry_later(now, request);
    }
}

void Client::set_voters(Instant now, std::span<const NodeId> voters) {
    if (voters.empty() || voters.size() > targets_.size()) return;
    const NodeId current = target();
    std::array<resilience::CircuitBreaker, kVotersMax> circuits{};
    for (std::size_t i = 0; i < voters.size(); ++i) {
        if (const std::uint8_t before = find_target(voters[i]); before < target_count_) circuits[i] = circuits_[before];
    }
    circuits_ = circuits;
    std::ranges::copy(voters, targets_.begin());
    target_count_ = static_cast<std::uint8_t>(voters.size());
    target_ = 0;
    choose_target(current);
    voters_known_ = true;
    voters_asked_ = false;
    ask_voters_at_ = kNever;
    for (Request& request : requests_) {
        if (request.state == RequestState::active && !request.awaiting && eligible(request)) owe(now, request);
    }
}

void Client::choose_target(NodeId node) {
    if (const std::uint8_t i = find_target(node); i < target_count_) target_ = i;
}

// The next voter whose circuit lets it be asked; where none does, the next.
void Client::advance_target(Instant now) {
    if (target_count_ == 0) return;
    const auto after = [this](std::uint8_t i) { return static_cast<std::uint8_t>(i + 1U == target_count_ ? 0U : i + 1U); };
    std::uint8_t next = after(target_);
    while (next != target_ && !circuits_[next].admits(now)) next = after(next);
    target_ = next != target_ ? next : after(target_);
}

void Client::on_silence(Instant now, NodeId from) {
    const std::uint8_t i = find_target(from);
    if (i == target_count_) return;
    if (circuits_[i].on_silence(now, *random_)) {
        counters_->add(Counter::circuits_opened);
        events_->push({.kind = EventKind::circuit_opened, .node = from});
    }
    if (i == target_) advance_target(now);
}

void Client::on_answer(NodeId from) {
    const std::uint8_t i = find_target(from);
    if (i == target_count_ || !circuits_[i].on_answer()) return;
    counters_->add(Counter::circuits_closed);
    events_->push({.kind = EventKind::circuit_closed, .node = from});
}

void Client::note_asked(Instant now) {
    if (circuits_[target_].on_asked(now)) counters_->add(Counter::circuits_half_opened);
}

void Client::on_not_leader(Instant now, NodeId from, NodeId leader) {
    if (leader != NodeId{} && leader != from && is_target(leader)) {
        choose_target(leader);
    } else if (target() == from) {
        advance_target(now);
    }
}

// ---- Replies ------------------------------------------------------------------------------------------------------

bool Client::on_record(Instant now, NodeId from, const wire::Record& record) {
    if (record.type == wire::RecordType::command_reply || record.type == wire::RecordType::read_reply) on_answer(from);
    switch (record.type) {
        case wire::RecordType::voter_set: {
            const VoterSetReader voters(record);
            std::array<NodeId, kVotersMax> nodes{};
            for (std::size_t i = 0; i < voters.count(); ++i) nodes[i] = NodeId{voters.voter(i).node};
            if (voters.count() == 0) counters_->add(Counter::records_malformed);
            set_voters(now, std::span(nodes).first(voters.count()));
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
    leader_evidence_ = now;
    redirects_ = 0;
    if (opening) {
        on_session_reply(now, status, *request);
    } else if (status == Status::session_evicted) {
        on_session_evicted(now, *request);
    } else {
        if (status == Status::stale_sequence) request->effect = Effect::unknown;
        finish(now, *request, status, reply.value(), reply.detail());
    }
}

void Client::on_session_reply(Instant now, Status status, Request& request) {
    if (status == Status::ok) {
        session_state_ = SessionState::open;
        owe(now, request);
    } else if (status == Status::session_evicted) {  // the id drawn is another node's
        session_state_ = SessionState::none;
        owe(now, request);
    } else {
        session_state_ = SessionState::none;
        finish(now, request, status);
    }
}

// What was sent once was refused by this very answer, so it has not run; of what was sent before, nobody can tell.
void Client::on_session_evicted(Instant now, Request& request) {
    session_state_ = SessionState::none;
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
    leader_evidence_ = now;
    redirects_ = 0;
    if (record.bytes.size() > value_bytes_) {
        finish(now, *match, Status::too_large);
        return;
    }
    std::ranges::copy(record.bytes, value_of(*match).begin());
    match->value_length = static_cast<std::uint16_t>(record.bytes.size());
    finish(now, *match, status, reply.revision(), reply.detail());
}

// A hint is followed at once, but only twice in a row: two voters may each believe in the other.
void Client::on_refusal(Instant now, NodeId from, Request& request, Status status, NodeId leader) {
    if (resilience::classify(status) == resilience::ErrorClass::overload) {
        leader_evidence_ = now;
        retry_later(now, request);
        return;
    }
    on_not_leader(now, from, leader);
    if (leader != NodeId{} && target() == leader && leader != from && redirects_ < 2 && retries_.take(now, *random_)) {
        ++redirects_;
        owe(now, request);
    } else {
        retry_later(now, request);
    }
}

// ---- Time ---------------------------------------------------------------------------------------------------------

void Client::owe(Instant now, Request& request) {
    request.owed = true;
    request.awaiting = false;
    request.next_attempt = now + options_.attempt_timeout;
}

void Client::retry_later(Instant now, Request& request) {
    request.owed = request.awaiting = false;
    request.next_attempt = now + request.backoff.next(*random_, options_.backoff_base, options_.backoff_max);
    counters_->add(Counter::requests_retried);
}

// Its pause is over. Where the budget is spent it waits for a token, and by chance of its own for a while after it.
void Client::retry_now(Instant now, Request& request) {
    if (retries_.take(now, *random_)) {
        owe(now, request);
        return;
    }
    counters_->add(Counter::retry_budget_waits);
    request.next_attempt = now + retries_.wait(now) + request.backoff.next(*random_, options_.backoff_base, options_.backoff_max);
}

// The voter asked has not answered, or there was no way to send to it; or the backoff is over.
void Client::on_attempt_due(Instant now, Request& request) {
    if (request.owed) {
        on_silence(now, target());
        owe(now, request);
    } else if (request.awaiting) {
        on_silence(now, request.asked);
        retry_later(now, request);
    } else {
        retry_now(now, request);
    }
}

Instant Client::quorum_deadline(const Request& request) const { return std::max(leader_evidence_, request.started) + options_.quorum_wait; }

Instant Client::next_deadline() const {
    Instant deadline = ask_voters_at_;
    for (const Request& request : requests_) {
        if (request.state != RequestState::active) continue;
        deadline = earlier(deadline, earlier(deadline_of(request), quorum_deadline(request)));
        if (eligible(request)) deadline = earlier(deadline, request.next_attempt);
    }
    return deadline;
}

void Client::on_timeout(Instant now) {
    if (now >= ask_voters_at_) {
        advance_target(now);
        voters_asked_ = true;
        ask_voters_at_ = now + options_.attempt_timeout;
    }
    for (Request& request : requests_) {
        if (request.state != RequestState::active) continue;
        if (now >= deadline_of(request)) {
            give_up(now, request, Status::timed_out);
        } else if (now >= quorum_deadline(request)) {
            give_up(now, request, Status::no_quorum);
        } else if (eligible(request) && now >= request.next_attempt) {
            on_attempt_due(now, request);
        }
    }
}

// ---- Writing ------------------------------------------------------------------------------------------------------

bool Client::wants_to_send(NodeId to) const {
    if (target_count_ == 0 || to != target()) return false;
    return voters_asked_ || std::ranges::any_of(requests_, [](const Request& request) { return request.owed; });
}

void Client::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    if (!wants_to_send(to)) return;
    if (voters_asked_) {
        const wire::Read ask(0, static_cast<std::uint8_t>(ReadKind::voters), 0, 0, 0);
        if (!writer.record(wire::RecordType::read, ask)) return;
        voters_asked_ = false;
    }
    for (Request& request : requests_) {
        if (!request.owed) continue;
        ++last_attempt_;
        request.attempt = last_attempt_;
        const bool first = request.times_sent == 0;
        if (!write_request(now, request, writer)) continue;
        if (first) retries_.on_sent(now);
        note_asked(now);
        request.owed = false;
        request.awaiting = true;
        request.asked = to;
        request.next_attempt = now + options_.attempt_timeout;
    }
}

bool Client::write_request(Instant now, Request& request, wire::PacketWriter& writer) {
    if (!is_command(request.kind)) return write_read(request, writer);
    if (session_state_ == SessionState::open) return write_command(now, request, writer);
    return write_open_session(request, writer);
}

bool Client::write_open_session(Request& request, wire::PacketWriter& writer) {
    if (session_state_ == SessionState::none) {
        if (session_ == 0) session_ = random_->next_nonzero_u64() << 32;
        ++session_;
        next_sequence_ = 1;
        session_state_ = SessionState::opening;
    }
    const wire::Command open(session_, 0, request.attempt, static_cast<std::uint8_t>(CommandType::open_session), 0, 0);
    return writer.record(wire::RecordType::command, open);
}

bool Client::write_command(Instant now, Request& request, wire::PacketWriter& writer) {
    const std::uint64_t sequence = request.sequence != 0 ? request.sequence : next_sequence_;
    const wire::Command command(session_, sequence, request.attempt, static_cast<std::uint8_t>(command_of(request.kind)), 0, 0);
    if (!writer.begin(wire::RecordType::command, command)) return false;
    if (!write_body(request, writer)) {
        writer.cancel();
        return false;
    }
    writer.end();
    if (request.sequence == 0) {
        request.sequence = sequence;
        next_sequence_ = sequence + 1;
        request.first_sent = now;
    }
    if (request.times_sent < 255) ++request.times_sent;
    return true;
}

bool Client::write_body(Request& request, wire::PacketWriter& writer) {
    const std::string_view name = name_of(request);
    switch (request.kind) {
        case RequestKind::acquire: {
            const AcquireCommand command{name, from_us(static_cast<std::int64_t>(request.detail >> 32U)),
                                         BootEpoch{static_cast<std::uint32_t>(request.detail)}};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
        case RequestKind::release: {
            const ReleaseCommand command{name, Token{request.value}};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
        default: {
            const PutCommand command{name, value_of(request).first(request.value_length)};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
    }
}

bool Client::write_read(Request& request, wire::PacketWriter& writer) {
    const ReadKind kind = request.kind == RequestKind::get ? ReadKind::key : ReadKind::lease;
    const wire::Read read(request.wire_number(), static_cast<std::uint8_t>(kind), 0, 0, 0);
    if (!writer.record(wire::RecordType::read, read, std::as_bytes(std::span(request.name).first(request.name_length)))) return false;
    if (request.times_sent < 255) ++request.times_sent;
    return true;
}

}  // namespace dunlin::ledger
