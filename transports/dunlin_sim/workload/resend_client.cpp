#include <dunlin_sim/workload/resend_client.hpp>

#include <dunlin_sim/workload/workload.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::sim {
namespace {

constexpr std::uint64_t kRecent = 12;                     // effects that are published again
constexpr Duration kLastMoment = milliseconds{40};        // before the deadline, at most
constexpr std::int64_t kProlonged = 4;                    // lifetimes
constexpr std::uint32_t kEffects = 1000;                  // stands for a publisher among MessageKeys: the effects of keys
constexpr std::uint64_t kKeySpace = 0x6566666563743a00U;  // high half of all keys

// A handler's verdict follows from the effect alone.
std::uint32_t percent_of(std::uint64_t number) { return static_cast<std::uint32_t>((number * 0x9e3779b97f4a7c15U >> 33U) % 100); }

}  // namespace

void ResendClient::start(Instant now) {
    const Duration every = shared_.plan().resends.every;
    if (every > Duration{0}) publish_at_ = now + shared_.world().workload().between(Duration{1}, every);
}

Instant ResendClient::due() const {
    Instant due = publish_at_;
    for (const LastCopy& each : last_) due = std::min(due, each.at);
    for (const Waiting& each : waiting_) due = std::min(due, each.until);
    return due;
}

void ResendClient::work(const Context& context) {
    const Instant now = context.now();
    if (publish_at_ <= now) {
        publish_at_ = now + shared_.plan().resends.every;
        if (!shared_.stopped()) publish_any(now);
    }
    for (std::size_t i = 0; i < last_.size();) {
        if (last_[i].at > now) {
            ++i;
            continue;
        }
        const std::uint64_t number = last_[i].number;
        last_.erase(last_.begin() + static_cast<std::ptrdiff_t>(i));
        if (!shared_.stopped()) publish(now, number);
    }
    for (std::size_t i = 0; i < waiting_.size();) {
        if (waiting_[i].until > now) {
            ++i;
            continue;
        }
        const Waiting waiting = waiting_[i];
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        complete(context, waiting);
    }
}

// ---- Publishing ---------------------------------------------------------------------------------------------------------

void ResendClient::publish_any(Instant now) {
    World& world = shared_.world();
    ResendChecker& checker = shared_.resends();
    const std::uint64_t recent = std::min(kRecent, checker.effects());
    const Duration lifetime = shared_.plan().resends.lifetime;
    if (recent > 0 && world.workload().below(2) == 0) {
        const std::uint64_t number = checker.effects() - world.workload().below(recent);
        const bool prolongs = shared_.plan().resends.prolonged && number % 3 == 0 && !checker.prolonged(number);
        if (prolongs) checker.prolong(number, world.now() + lifetime * kProlonged);
        publish(now, number);
        if (prolongs) publish_last(now, number);
        return;
    }
    const std::uint64_t number = checker.wanted(world.now() + lifetime);
    publish(now, number);
    publish_last(now, number);
}

// Once more, shortly before the deadline.
void ResendClient::publish_last(Instant now, std::uint64_t number) {
    World& world = shared_.world();
    const Duration left = shared_.resends().deadline(number) - world.now();
    last_.push_back({now + left - world.workload().between(milliseconds{2}, kLastMoment), number});
}

void ResendClient::publish(Instant now, std::uint64_t number) {
    World& world = shared_.world();
    const Duration left = shared_.resends().deadline(number) - world.now();
    if (left <= Duration{0}) return;
    const Payload payload = payload_of(number);
    bus::PublishOptions options;
    options.topic = kTopic;
    options.payload = payload;
    options.lifetime = left;
    options.key = IdempotencyKey{kKeySpace, number};
    const auto published = world.node(process_).publish(now, options);
    if (published.ok()) shared_.resends().published(process_, number, published.value());
}

// ---- Having them --------------------------------------------------------------------------------------------------------

ResendClient::Payload ResendClient::payload_of(std::uint64_t number) {
    Payload payload{};
    std::memcpy(payload.data(), &number, sizeof(number));
    return payload;
}

std::uint64_t ResendClient::number_of(const bus::Message& message) const {
    std::uint64_t number = 0;
    if (message.payload.size() == sizeof(Payload)) std::memcpy(&number, message.payload.data(), sizeof(number));
    const bool one = number <= shared_.resends().effects() && std::ranges::equal(message.payload, payload_of(number));
    return one ? number : 0;
}

bus::Verdict ResendClient::handle(const Receiver& receiver, std::uint64_t number, const bus::Message& message) {
    World& world = shared_.world();
    const std::uint32_t percent = percent_of(number + receiver.subscription.value());
    bus::Verdict said = bus::Verdict::accept;
    if (percent < 8) {
        said = bus::Verdict::reject;
    } else if (percent < 25) {
        said = bus::Verdict::pending;
    } else if (percent < 35 && std::ranges::find(retried_, number) == retried_.end()) {
        said = bus::Verdict::retry_later;
        retried_.push_back(number);
    }
    if (said == bus::Verdict::pending) {
        const Duration pause = world.workload().between(milliseconds{1}, percent % 4 == 0 ? seconds{3} : milliseconds{200});
        waiting_.push_back({world.local_now(process_) + pause, message.completion, number, receiver});
        world.wake(process_, waiting_.back().until);
    }
    shared_.resends().handled(world.now(), receiver, number, message, said);
    if (said == bus::Verdict::accept) keep_effect(receiver, number);
    if (said == bus::Verdict::accept && receiver.durable) shared_.effect_was_had(process_);
    return said;
}

// The effect is had, whether or not the message is still there: its publisher may have been started anew.
void ResendClient::complete(const Context& context, const Waiting& waiting) {
    shared_.resends().completed(waiting.receiver, waiting.number, bus::Verdict::accept);
    const Status result = context.node().complete(context.now(), waiting.completion, bus::Verdict::accept);
    if (result == Status::ok || result == Status::not_found) keep_effect(waiting.receiver, waiting.number);
}

void ResendClient::keep_effect(const Receiver& receiver, std::uint64_t number) {
    if (!receiver.durable || !shared_.plan().positions || shared_.resends().may_repeat(number)) return;
    World& world = shared_.world();
    world.node(process_).store_receive_position(shared_.effects().kept(world.now(), receiver, {kEffects, 0, number}));
}

bool ResendClient::on_outcome(const Event& event) {
    World& world = shared_.world();
    const std::uint64_t number = shared_.resends().outcome(world.now(), process_, event);
    if (number == 0) return false;
    const auto subscriber = static_cast<std::uint32_t>(event.node.value() - 1);  // as Run numbers them
    const bool kept = shared_.plan().positions && event.outcome == Outcome::acknowledged && is_durable(event.subscription) &&
                      world.process(subscriber).setup.disk_bytes != 0 && !shared_.resends().may_repeat(number);
    if (kept) shared_.effects().acknowledged(world.now(), subscriber, event.subscription, {kEffects, 0, number});
    return true;
}

}  // namespace dunlin::sim
