#include <dunlin_sim/scenario/scenario_actor.hpp>

#include <dunlin/core/assert.hpp>

#include <array>
#include <cstring>

namespace dunlin::sim {
namespace {

constexpr Duration kRetry = milliseconds{1};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

// ---- Life ---------------------------------------------------------------------------------------------------------------

void ScenarioActor::on_start(const Context&) {
    for (std::size_t i = 0; i < part().listening.size(); ++i) {
        if (!part().listening[i].ended) DUNLIN_ASSERT(listen(i) == Status::ok);  // as it was before
    }
}

void ScenarioActor::on_started() {
    ready_ = true;
    number_ = node().publish_position();
    if (part().journals == 0) stage_.delivery.recovered(world().now(), process_, number_);
    static_cast<void>(publish_rest());
}

void ScenarioActor::on_event(const Context&, const Event& event) {
    switch (event.kind) {
        case EventKind::started: return on_started();
        case EventKind::outcome: stage_.delivery.outcome(world().now(), process_, part().journals, event); return;
        case EventKind::request_done: return on_request_done(event);
        case EventKind::lease_held:
            for (auto& [name, lease] : leases_) {
                if (lease.handle.slot == event.slot) lease.token = Token{event.value};
            }
            return;
        default: return;
    }
}

void ScenarioActor::on_timer(const Context&) { static_cast<void>(publish_rest()); }

void ScenarioActor::ending() {
    if (part().last_change == "waiting") part().last_change = "crashed";
    for (const auto& [request, call] : calls_) {
        if (!call.put) continue;
        stage_.key(call.key).putting = false;
        part().last_put = "crashed";
    }
}

// ---- Bus ----------------------------------------------------------------------------------------------------------------

Status ScenarioActor::listen(std::size_t listening) {
    const Part::Listening& wanted = part().listening[listening];
    Ear& ear = *ears_.emplace_back(std::make_unique<Ear>());
    ear = {this, listening, {process_, world().process(process_).life, node().id(), {}, wanted.durable_id != 0}};
    const bus::Handler handler{[](void* self, const bus::Message& message) {
                                   const Ear& here = *static_cast<Ear*>(self);
                                   return here.actor->hear(here, message);
                               },
                               &ear};
    const auto made = node().subscribe(wanted.filter, handler, {.durable_id = wanted.durable_id, .fence_lease = wanted.fence});
    if (made.ok()) ear.receiver.subscription = made.value();
    return made.status();
}

bool ScenarioActor::stop_listening(const std::string& filter) {
    for (const auto& ear : ears_) {
        Part::Listening& listening = part().listening[ear->listening];
        if (listening.ended || listening.filter != filter) continue;
        listening.ended = true;
        stage_.delivery.unsubscribed(world().now(), node().id(), ear->receiver.subscription);
        return node().unsubscribe(ear->receiver.subscription) == Status::ok;
    }
    return false;
}

bus::Verdict ScenarioActor::hear(const Ear& ear, const bus::Message& message) {
    MessageKey key{};
    DUNLIN_ASSERT(message.payload.size() == sizeof(key));
    std::memcpy(&key, message.payload.data(), sizeof(key));
    const bool first = part().listening[ear.listening].seen.insert(key).second;
    ++(first ? part().delivered : part().duplicates);
    const std::string& fence = part().listening[ear.listening].fence;
    if (!fence.empty()) stage_.audit.handled_under(world().now(), process_, ledger::lease_key(fence), message.token);
    stage_.delivery.handled(world().now(), ear.receiver, key, message, bus::Verdict::accept);
    return bus::Verdict::accept;
}

Status ScenarioActor::publish_next() {
    static_assert(std::is_trivially_copyable_v<MessageKey> && sizeof(MessageKey) == 16);
    const Part::Order& order = part().orders[number_];
    const MessageKey key{process_, part().journals, number_ + 1};
    bus::PublishOptions options;
    options.topic = order.topic;
    options.payload = std::as_bytes(std::span(&key, 1));
    options.position = key.number;
    options.lifetime = order.lasting;
    if (!order.lease.empty()) options.fence = {order.lease, order.token};
    const auto published = node().publish(local_now(), options);
    if (!published.ok()) return published.status();
    ++number_;
    stage_.delivery.published(world().now(), key, published.value(), {.lifetime = order.lasting, .fenced = !order.lease.empty()});
    return Status::ok;
}

Status ScenarioActor::publish_rest() {
    while (ready_ && number_ < part().orders.size()) {
        const Status status = publish_next();
        if (status == Status::ok) continue;
        world().wake(process_, local_now() + kRetry);
        return status == Status::outbox_full || status == Status::busy ? Status::ok : status;
    }
    return Status::ok;
}

// ---- Leases -------------------------------------------------------------------------------------------------------------

Status ScenarioActor::acquire(const std::string& lease, Duration ttl) {
    const auto asked = node().acquire_lease(local_now(), lease, ttl);
    if (!asked.ok()) return asked.status();
    leases_[lease].handle = asked.value();
    stage_.leases.wants_lease(process_, lease, asked.value());
    return Status::ok;
}

bool ScenarioActor::release(const std::string& lease) {
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return false;
    node().release_lease(local_now(), found->second.handle);
    return true;
}

bool ScenarioActor::holds(const std::string& lease) {
    const auto found = leases_.find(lease);
    return found != leases_.end() && node().lease(found->second.handle).valid_for(local_now(), Duration{0});
}

Token ScenarioActor::token(const std::string& lease) const {
    const auto found = leases_.find(lease);
    return found == leases_.end() ? Token{} : found->second.token;
}

// ---- Ledger -------------------------------------------------------------------------------------------------------------

Status ScenarioActor::put(const std::string& key, const std::string& value) {
    const auto request = node().put(local_now(), key, bytes_of(value));
    if (!request.ok()) return request.status();
    KeyHistory& history = stage_.key(key);
    history.values.push_back(value);
    history.putting = true;
    history.checker.put_started(world().now(), process_, request.value(), history.values.size());
    calls_[request.value().value()] = {key, true};
    part().last_put = "waiting";
    return Status::ok;
}

Status ScenarioActor::get(const std::string& key) {
    const auto request = node().get(local_now(), key);
    if (!request.ok()) return request.status();
    stage_.key(key).checker.get_started(world().now(), process_, request.value());
    calls_[request.value().value()] = {key, false};
    answer_.clear();
    return Status::ok;
}

Status ScenarioActor::change_member(consensus::ChangeOp op, std::size_t about) {
    ledger::MemberCommand command{};
    command.change.node = world().process(about).setup.options.id.value();
    command.change.op = static_cast<std::uint8_t>(op);
    stage_.audit.configurations().asked(world().now(), command.change);
    const auto request = node().change_member(local_now(), command);
    if (!request.ok()) return request.status();
    change_ = request.value();
    part().last_change = "waiting";
    return Status::ok;
}

void ScenarioActor::on_request_done(const Event& event) {
    if (event.request == change_) part().last_change = to_string(event.status);
    const auto found = calls_.find(event.request.value());
    if (found == calls_.end()) return;
    const Call call = found->second;
    calls_.erase(found);
    KeyHistory& history = stage_.key(call.key);
    std::string value;
    if (call.put) {
        history.putting = false;
        part().last_put = to_string(event.status);
    } else if (event.status == Status::ok) {
        const auto bytes = node().value_of(event.request);
        value.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        answer_ = value;
    } else {
        answer_ = event.status == Status::not_found ? "nothing" : "(" + std::string(to_string(event.status)) + ")";
    }
    history.checker.ended(world().now(), process_, event, history.number_of(value));
}

}  // namespace dunlin::sim
