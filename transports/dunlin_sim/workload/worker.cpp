#include <dunlin_sim/workload/worker.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::sim {
namespace {

constexpr std::string_view kLease = "valve";
constexpr std::string_view kSecondLease = "pump";
constexpr std::string_view kFenced = "fenced/";  // topics, with the name of their lease
constexpr std::string_view kKey = "setpoint";
constexpr std::size_t kFencedSubscriber = 1;  // process
constexpr std::uint32_t kFlowDurableId = 1;
constexpr std::uint32_t kFencedDurableId = 2;
constexpr std::uint32_t kOverlapDurableId = 3;
constexpr std::uint32_t kExtraDurableId = 4;
constexpr std::uint32_t kSecondFencedDurableId = 5;
constexpr std::uint32_t kEffectsDurableId = 6;

constexpr SubscriptionId kLongMessages{0x10};  // which draws what is long

// A handler's verdict follows from the message alone, so that it is the same when the message runs again after a crash.
std::uint32_t percent_of(const MessageKey& key, SubscriptionId subscription) {
    const std::uint64_t mixed = (key.number * 0x9e3779b97f4a7c15U) ^ (std::uint64_t{key.publisher} << 32U | subscription.value());
    return static_cast<std::uint32_t>((mixed * 0xff51afd7ed558ccdU >> 33U) % 100);
}

// What follows the payload's head tells one message from the other.
std::byte pattern_at(const MessageKey& key, std::size_t i) { return static_cast<std::byte>(key.number + key.publisher + i); }

void write_pattern(std::span<std::byte> bytes, const MessageKey& key) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern_at(key, i);
}

bool is_pattern(std::span<const std::byte> bytes, const MessageKey& key) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != pattern_at(key, i)) return false;
    }
    return true;
}

// The lane follows from the number, so that what is told of a message after a restart tells it too: one message in eight is
// urgent, or is not, and bulk comes in long rows.
Lane lane_of(std::uint64_t number, bool mostly_urgent) {
    if ((number % 8 == 3) != mostly_urgent) return Lane::urgent;
    return number / 32 % 2 == 1 ? Lane::bulk : Lane::normal;
}

}  // namespace

Worker::Worker(Workload& shared, std::size_t process)
    : shared_(shared),
      world_(shared.world_),
      process_(static_cast<std::uint32_t>(process)),
      life_(world_.process(process).life),
      journalled_(world_.process(process).setup.disk_bytes != 0),
      topic_("flow/" + std::to_string(process)),
      keys_(shared.commands_, shared.plan_.shared_keys, process_, life_),
      resends_(shared, process_) {
    for (const std::string_view lease : {kLease, kSecondLease}) {
        if (!contends() || (lease == kSecondLease && !shared.plan_.second_lease)) continue;
        const auto publish_under = [this, lease](Instant now, Token token) {
            publish(now, std::string(kFenced) + std::string(lease), lease, token);
        };
        leases_.emplace_back(shared, process, std::string(lease), publish_under);
    }
}

bool Worker::contends() const { return process_ + shared_.plan_.contenders >= world_.size(); }

// One that keeps its floors in a journal, and one that has none and reads them from the ledger.
bool Worker::guards() const { return process_ == kFencedSubscriber || (!journalled_ && process_ + 1 == world_.size()); }

Duration Worker::up_to(Duration longest) { return world_.workload().between(Duration{1}, std::max(Duration{1}, longest)); }

// ---- Listening ----------------------------------------------------------------------------------------------------------

void Worker::on_start(const Context& context) {
    if (life_ > 0) shared_.delivery_.restarted(world_.now(), context.node().id());
    const std::size_t count = world_.size();
    const auto flow_before = [&](std::size_t steps) { return "flow/" + std::to_string((process_ + count - steps) % count); };
    if (count > 1) subscribe(context, flow_before(1), 0, {});
    if (!shared_.plan_.late || life_ == 0) listen_durably(context);
    if (count > 1 && shared_.plan_.overlap) subscribe(context, flow_before(1) + "/#", kOverlapDurableId, {});
    if (guards()) subscribe(context, "fenced/+", kFencedDurableId, kLease);
    if (guards() && shared_.plan_.second_lease) subscribe(context, "fenced/#", kSecondFencedDurableId, kSecondLease);
    if (has_effects()) subscribe(context, std::string(ResendClient::kTopic), kEffectsDurableId, {});
    if (process_ == 0) subscribe(context, std::string(ResendClient::kTopic), 0, {});  // whose effects are its own
    // What is durable stays so over a crash: whoever wants to end it first says that it is back.
    if (shared_.plan_.churn_every > Duration{0} && process_ % 2 == 0) extra_ = subscribe(context, "flow/#", kExtraDurableId, {});
}

void Worker::listen_durably(const Context& context) {
    const std::size_t count = world_.size();
    listen_at_ = kNever;
    if (count > 2) subscribe(context, "flow/" + std::to_string((process_ + count - 2) % count) + "/#", kFlowDurableId, {});
}

Worker::Subscription* Worker::subscribe(const Context& context, const std::string& filter, std::uint32_t durable_id,
                                        std::string_view fence) {
    subscriptions_.push_back(std::make_unique<Subscription>(Subscription{this, {process_, life_, context.node().id(), {}, false}, fence}));
    Subscription& entry = *subscriptions_.back();
    bus::SubscribeOptions options;
    options.durable_id = durable_id;
    options.fence_lease = fence;
    const bus::Handler handler{[](void* self, const bus::Message& message) {
                                   const auto& subscription = *static_cast<Subscription*>(self);
                                   return subscription.worker->handle(subscription, message);
                               },
                               &entry};
    const auto made = context.node().subscribe(filter, handler, options);
    DUNLIN_ASSERT(made.ok() || made.status() == Status::table_full);
    if (!made.ok()) {
        subscriptions_.pop_back();
        return nullptr;
    }
    entry.receiver.subscription = made.value();
    entry.receiver.durable = durable_id != 0 && journalled_;
    shared_.audience_.subscribed(process_, made.value(), filter);
    return &entry;
}

// Every other process has a durable one that comes and goes.
void Worker::change_subscriptions(const Context& context) {
    ++shared_.counts_.subscriptions_changed;
    if (extra_ == nullptr) {
        extra_ = subscribe(context, "flow/#", process_ % 2 == 0 ? kExtraDurableId : 0, {});
        return;
    }
    const SubscriptionId ended = std::exchange(extra_, nullptr)->receiver.subscription;
    shared_.delivery_.unsubscribed(world_.now(), context.node().id(), ended);
    shared_.audience_.unsubscribed(process_, ended);
    const Status status = context.node().unsubscribe(ended);
    DUNLIN_ASSERT(status == Status::ok);
}

// Whoever passes the fence has a token of the very lease that it guards.
void Worker::check_fence(const Subscription& subscription, const bus::Message& message) {
    if (subscription.fence.empty()) return;
    const bool own = message.topic.starts_with(kFenced) && message.topic.substr(kFenced.size()) == subscription.fence;
    shared_.delivery_.fence_passed(world_.now(), subscription.receiver, own && message.token != Token{});
    shared_.audit_.handled_under(world_.now(), process_, ledger::lease_key(subscription.fence), message.token);
}

bus::Verdict Worker::handle(const Subscription& subscription, const bus::Message& message) {
    const Receiver& receiver = subscription.receiver;
    if (message.topic == ResendClient::kTopic) {
        if (const auto call = std::exchange(shared_.before_verdict_, nullptr)) call(process_);
        shared_.settlements_.handled(world_.now(), process_, message.publisher, message.lane, message.completion.sequence);
        const std::uint64_t number = resends_.number_of(message);
        shared_.delivery_.payload_seen(world_.now(), {.number = number}, number != 0);
        return number != 0 ? resends_.handle(receiver, number, message) : bus::Verdict::reject;
    }
    MessageKey key;
    DUNLIN_ASSERT(message.payload.size() >= sizeof(key));
    std::memcpy(&key, message.payload.data(), sizeof(key));
    check_fence(subscription, message);
    if (const auto call = std::exchange(shared_.before_verdict_, nullptr)) call(process_);
    shared_.settlements_.handled(world_.now(), process_, message.publisher, message.lane, message.completion.sequence);
    shared_.expiries_.handled(world_.now(), process_, message.publisher, message.lane, message.completion.sequence);
    const bool intact = is_pattern(message.payload.subspan(sizeof(key)), key);
    shared_.delivery_.payload_seen(world_.now(), key, intact);
    if (!intact) return bus::Verdict::reject;
    seen_ = std::max(seen_, message.lamport);
    echo(key);
    const bus::Verdict said = decide(receiver, key, message);
    shared_.delivery_.handled(world_.now(), receiver, key, message, said);
    shared_.backoffs_.handled(world_.now(), receiver, key, said);
    if (said == bus::Verdict::accept) keep_effect(receiver, key);
    return said;
}

void Worker::keep_effect(const Receiver& receiver, const MessageKey& key) {
    if (!receiver.durable || !shared_.plan_.positions) return;
    world_.node(process_).store_receive_position(shared_.effects_.kept(world_.now(), receiver, key));
}

bus::Verdict Worker::decide(const Receiver& receiver, const MessageKey& key, const bus::Message& message) {
    const VerdictMix& mix = shared_.plan_.verdicts;
    const std::uint32_t percent = percent_of(key, receiver.subscription);
    if (percent < mix.reject) return bus::Verdict::reject;
    if (percent < mix.reject + mix.pending) {
        const Duration pause = up_to(mix.pending_max);
        waiting_.push_back({world_.local_now(process_) + pause, message.completion, key, receiver});
        world_.wake(process_, waiting_.back().until);
        return bus::Verdict::pending;
    }
    if (percent >= mix.reject + mix.pending + mix.retry) return bus::Verdict::accept;
    const std::uint64_t times = key.number % mix.retries_max + 1;
    return ++retried_[{key, receiver.subscription.value()}] <= times ? bus::Verdict::retry_later : bus::Verdict::accept;
}

void Worker::complete_waiting(const Context& context) {
    for (std::size_t i = 0; i < waiting_.size();) {
        const Waiting waiting = waiting_[i];
        if (waiting.until > context.now()) {
            context.wake_at(waiting.until);
            ++i;
            continue;
        }
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        shared_.delivery_.completing(waiting.receiver, waiting.key);
        const Status result = context.node().complete(context.now(), waiting.completion, bus::Verdict::accept);
        shared_.delivery_.completed(world_.now(), waiting.receiver, waiting.key, bus::Verdict::accept, result);
        if (result == Status::ok) keep_effect(waiting.receiver, waiting.key);
    }
}

// ---- Publishing ---------------------------------------------------------------------------------------------------------

void Worker::on_started(const Context& context) {
    started_ = true;
    if (journalled_) {
        number_ = context.node().publish_position();
        shared_.delivery_.recovered(world_.now(), process_, number_);
        shared_.effects_.recovered(world_.now(), process_, context.node().receive_position());
    }
    const WorkloadPlan& plan = shared_.plan_;
    if (plan.publish_every > Duration{0}) publish_at_ = context.now() + up_to(plan.publish_every);
    for (LeaseClient& lease : leases_) lease.start(context.now());
    if (plan.late && life_ != 0) listen_at_ = context.now() + up_to(milliseconds{1500});
    if (plan.churn_every > Duration{0}) churn_at_ = context.now() + up_to(plan.churn_every);
    keys_.start(context.now());
    resends_.start(context.now());
    if (plan.key_every > Duration{0} && (puts() || gets())) key_at_ = context.now() + up_to(plan.key_every);
    on_timer(context);
}

// A handler that has something to say itself, and says it at once.
void Worker::echo(const MessageKey& key) {
    if (!started_ || shared_.stopped_ || percent_of(key, SubscriptionId{~process_}) >= shared_.plan_.echo_percent) return;
    ++shared_.counts_.echoes;
    publish_flow(world_.local_now(process_));
}

void Worker::publish_flow(Instant now) {
    const std::uint64_t which = flows_++ % shared_.plan_.topics;
    publish(now, which == 0 ? topic_ : topic_ + "/" + std::to_string(which), {}, {});
}

void Worker::publish(Instant now, const std::string& topic, std::string_view lease, Token token) {
    std::array<std::byte, kMessageBytesMax> bytes;
    const MessageKey key{process_, journalled_ ? 0 : life_, number_ + 1};
    const WorkloadPlan& plan = shared_.plan_;
    const bool is_long = percent_of({process_, 1, key.number}, kLongMessages) < plan.long_percent;
    const std::size_t length = std::clamp(is_long ? plan.long_bytes : plan.payload_bytes, sizeof(key), host_message_bytes(plan.room));
    std::memcpy(bytes.data(), &key, sizeof(key));
    write_pattern(std::span(bytes).first(length).subspan(sizeof(key)), key);
    bus::PublishOptions options;
    options.topic = topic;
    options.payload = std::span(bytes).first(length);
    PublishTraits traits;
    traits.after = seen_;
    traits.fenced = token != Token{};
    if (traits.fenced) options.fence = {lease, token};
    if (plan.lanes) options.lane = traits.lane = lane_of(key.number, plan.mostly_urgent);
    const bool limited = percent_of({process_, 0, key.number}, SubscriptionId{}) < plan.limited_percent;
    if (limited) traits.lifetime = plan.lifetime;
    options.lifetime = traits.lifetime;
    if (journalled_) options.position = key.number;
    auto write = [&options](std::span<std::byte> piece, std::size_t offset) {
        std::memcpy(piece.data(), options.payload.data() + offset, piece.size());
    };
    Node& node = world_.node(process_);
    const bool in_place = key.number % 3 == 0;
    const auto published =
        in_place ? node.publish_in_place(now, options, options.payload.size(), link::PayloadWriter::of(write)) : node.publish(now, options);
    switch (published.status()) {
        case Status::ok: break;
        case Status::no_subscriber: ++shared_.counts_.unheard; return;
        default: ++shared_.counts_.refused; return;
    }
    number_ = key.number;
    shared_.resends_.given_again(process_, published.value().id);
    shared_.lanes_.published(process_, key.number, options.lane, journalled_ ? published.value().id : PublishId{});
    shared_.delivery_.published(world_.now(), key, published.value(), traits);
}

// ---- Coordinating -------------------------------------------------------------------------------------------------------

void Worker::work_on_key(const Context& context) {
    key_at_ = context.now() + shared_.plan_.key_every;
    if (request_ != RequestId{} || shared_.stopped_) return;
    if (!puts()) {
        const auto got = context.node().get(context.now(), kKey);
        if (!got.ok()) return;
        request_ = got.value();
        shared_.ledger_.get_started(world_.now(), process_, request_);
        return;
    }
    const std::uint64_t number = shared_.last_put_ + 1;
    const auto put = context.node().put(context.now(), kKey, std::as_bytes(std::span<const std::uint64_t, 1>(&number, 1)));
    if (!put.ok()) return;
    shared_.last_put_ = number;
    request_ = put.value();
    shared_.ledger_.put_started(world_.now(), process_, request_, number);
}

void Worker::on_request_done(const Context& context, const Event& event) {
    if (keys_.on_request_done(world_.now(), context, event) || event.request != request_) return;
    request_ = {};
    std::uint64_t value = 0;
    const auto bytes = context.node().value_of(event.request);
    if (event.status == Status::ok && bytes.size() == sizeof(value)) std::memcpy(&value, bytes.data(), sizeof(value));
    shared_.ledger_.ended(world_.now(), process_, event, value);
}

void Worker::on_outcome(const Event& event) {
    if (resends_.on_outcome(event)) return;
    const std::uint64_t number = shared_.delivery_.outcome(world_.now(), process_, journalled_ ? 0 : life_, event);
    const auto subscriber = static_cast<std::uint32_t>(event.node.value() - 1);  // as Run numbers them
    const bool kept = shared_.plan_.positions && event.outcome == Outcome::acknowledged && is_durable(event.subscription) &&
                      world_.process(subscriber).setup.disk_bytes != 0;
    if (kept && number != 0)
        shared_.effects_.acknowledged(world_.now(), subscriber, event.subscription, {process_, journalled_ ? 0 : life_, number});
}

// ---- Events and time ------------------------------------------------------------------------------------------------------

void Worker::on_event(const Context& context, const Event& event) {
    switch (event.kind) {
        case EventKind::started: return on_started(context);
        case EventKind::outcome: return on_outcome(event);
        case EventKind::request_done: return on_request_done(context, event);
        case EventKind::lease_held:
            for (LeaseClient& lease : leases_) lease.on_held(context, event);
            return;
        case EventKind::lease_lost:
            for (LeaseClient& lease : leases_) lease.on_lost(context, event);
            return;
        case EventKind::session_opened: return shared_.delivery_.session_changed(world_.now(), process_, event.node);
        case EventKind::session_closed:
            ++shared_.counts_.sessions_lost;
            return shared_.delivery_.session_changed(world_.now(), process_, event.node);
        case EventKind::events_lost: shared_.counts_.events_lost += event.value; return;
        default: return;
    }
}

void Worker::on_timer(const Context& context) {
    if (!started_) return;
    const Instant now = context.now();
    if (publish_at_ <= now) {
        for (std::uint32_t i = 0; i < shared_.plan_.burst && !shared_.stopped_; ++i) publish_flow(now);
        publish_at_ = now + shared_.plan_.publish_every;
    }
    for (LeaseClient& lease : leases_) {
        if (lease.due() <= now) lease.work(context);
        context.wake_at(lease.due());
    }
    if (key_at_ <= now) work_on_key(context);
    if (shared_.stopped_) {
        keys_.stop();
        churn_at_ = kNever;
    }
    if (keys_.due() <= now) keys_.call(context);
    if (churn_at_ <= now) {
        change_subscriptions(context);
        churn_at_ = now + up_to(2 * shared_.plan_.churn_every);
    }
    if (listen_at_ <= now) listen_durably(context);
    if (resends_.due() <= now) resends_.work(context);
    complete_waiting(context);
    context.wake_at(std::min({publish_at_, listen_at_, key_at_, keys_.due(), resends_.due(), churn_at_}));
}

}  // namespace dunlin::sim
