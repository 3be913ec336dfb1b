#include <dunlin/core/assert.hpp>
#include <dunlin/ledger/client.hpp>

#include <algorithm>

namespace dunlin::ledger {
namespace {

// Whether request `a` was made before `b`; numbers wrap.
bool before(const Request& a, const Request& b) { return static_cast<std::int32_t>(a.id.value() - b.id.value()) < 0; }

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
    const Result<RequestId> id = submit_named(now, RequestKind::put, Requester::application, key, request);
    if (!id.ok()) return id;
    request->value_length = static_cast<std::uint16_t>(value.size());
    std::ranges::copy(value, value_of(*request).begin());
    return id;
}

Result<RequestId> Client::get(Instant now, std::string_view key) {
    Request* request = nullptr;
    return submit_named(now, RequestKind::get, Requester::application, key, request);
}

Result<RequestId> Client::read_lease(Instant now, std::string_view name, Requester requester) {
    Request* request = nullptr;
    return submit_named(now, RequestKind::read_lease, requester, name, request);
}

Result<RequestId> Client::acquire(Instant now, const AcquireCommand& command) {
    Request* request = nullptr;
    const Result<RequestId> id = submit_named(now, RequestKind::acquire, Requester::lease_holder, command.name, request);
    if (!id.ok()) return id;
    request->detail = static_cast<std::uint64_t>(to_us(command.ttl)) << 32U | command.holder_epoch.value();
    return id;
}

Result<RequestId> Client::release(Instant now, const ReleaseCommand& command) {
    Request* request = nullptr;
    const Result<RequestId> id = submit_named(now, RequestKind::release, Requester::lease_holder, command.name, request);
    if (id.ok()) request->value = command.token.value();
    return id;
}

Result<RequestId> Client::change_member(Instant now, const MemberCommand& command) {
    const std::size_t in_name = std::min(command.address.size(), kKeyNameBytesMax);
    const std::span<const std::byte> in_value = command.address.subspan(in_name);
    if (in_value.size() > value_bytes_) return Status::too_large;
    if (const Status status = check(command); status != Status::ok) return status;
    Request* request = nullptr;
    const std::string_view name(reinterpret_cast<const char*>(command.address.data()), in_name);
    const Result<RequestId> id = submit(now, RequestKind::member, Requester::application, name, request);
    if (!id.ok()) return id;
    request->value = command.change.storage;
    request->detail = std::uint64_t{command.change.op} << 16U | command.change.node;
    request->value_length = static_cast<std::uint16_t>(in_value.size());
    std::ranges::copy(in_value, value_of(*request).begin());
    return id;
}

Result<RequestId> Client::transfer(Instant now, NodeId to) {
    if (to == NodeId{}) return Status::invalid_argument;
    Request* request = nullptr;
    const Result<RequestId> id = submit(now, RequestKind::transfer, Requester::application, {}, request);
    if (id.ok()) request->detail = to.value();
    return id;
}

Result<RequestId> Client::submit_named(Instant now, RequestKind kind, Requester requester, std::string_view name, Request*& made) {
    if (name.empty()) return Status::invalid_argument;
    return submit(now, kind, requester, name, made);
}

// Takes a slot for the request, `made`, whose parameters the caller fills in.
Result<RequestId> Client::submit(Instant now, RequestKind kind, Requester requester, std::string_view name, Request*& made) {
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

// ---- Time ---------------------------------------------------------------------------------------------------------

void Client::owe(Instant now, Request& request) {
    request.owed = true;
    request.awaiting = false;
    request.next_attempt = now + options_.attempt_timeout();
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
        ask_voters_at_ = now + options_.attempt_timeout();
    }
    for (Request& request : requests_) {
        if (request.state != RequestState::active) continue;
        if (now >= deadline_of(request)) {
            give_up(now, request, Status::timed_out);
        } else if (now >= quorum_deadline(request)) {
            no_quorum_ = true;
            give_up(now, request, Status::no_quorum);
        } else if (eligible(request) && now >= request.next_attempt) {
            on_attempt_due(now, request);
        }
    }
}

}  // namespace dunlin::ledger
