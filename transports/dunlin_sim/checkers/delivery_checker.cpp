#include <dunlin_sim/checkers/delivery_checker.hpp>

#include <algorithm>
#include <set>
#include <string>

namespace dunlin::sim {
namespace {

// A subscription may still be served this long after its subscriber crashed, while its publisher has not heard of it.
constexpr Duration kNewsTravels = seconds{30};

// A lifetime in true time, on clocks that are up to three percent fast, and with what whole milliseconds round off.
Duration least(Duration lifetime) { return lifetime - lifetime / 32 - milliseconds{2}; }

std::string text(const MessageKey& key) {
    return "message " + std::to_string(key.number) + " of process " + std::to_string(key.publisher) + " (life " + std::to_string(key.life) +
           ")";
}

std::string text(NodeId node, SubscriptionId subscription) {
    return "node " + std::to_string(node.value()) + " (subscription " + std::to_string(subscription.value()) + ")";
}

// With the outcome as last told.
template <class Subscriber>
std::string text(const MessageKey& key, const Subscriber& subscriber) {
    return text(key) + " at " + text(NodeId{subscriber.node}, SubscriptionId{subscriber.subscription}) + " is " +
           std::string(to_string(subscriber.outcome));
}

}  // namespace

DeliveryChecker::DeliveryChecker(Verdict& verdict, std::size_t attempts_max)
    : verdict_(verdict),
      attempts_max_(attempts_max),
      one_outcome_(verdict.expect("one outcome a subscriber")),
      intact_(verdict.expect("payloads arrive as they left")),
      remembered_(verdict.expect("durable means durable", Verdict::Occasion::rare)),
      causal_(verdict.expect("causes come before effects")),
      once_(verdict.expect("handled once and in order")),
      marked_(verdict.expect("repeats are marked", Verdict::Occasion::rare)),
      settled_(verdict.expect("what is settled stays settled")),
      accepted_(verdict.expect("acknowledged means accepted")),
      cause_(verdict.expect("dead letters have a cause", Verdict::Occasion::rare)),
      no_effect_(verdict.expect("no effect means no run", Verdict::Occasion::rare)),
      decides_(verdict.expect("the handler decides", Verdict::Occasion::rare)),
      fence_(verdict.expect("tokens at a fence never fall")),
      own_lease_(verdict.expect("a fence admits its own lease", Verdict::Occasion::rare)),
      durable_first_(verdict.expect("durable before it leaves")),
      lost_(verdict.expect("nothing is lost")) {}

DeliveryChecker::Message* DeliveryChecker::find(const MessageKey& key) {
    const auto stream = streams_.find({key.publisher, key.life});
    if (stream == streams_.end() || key.number == 0 || key.number > stream->second.messages.size()) return nullptr;
    return &stream->second.messages[key.number - 1];
}

DeliveryChecker::Subscriber& DeliveryChecker::subscriber_of(Message& message, NodeId node, SubscriptionId subscription) {
    for (Subscriber& each : message.at) {
        if (each.node == node.value() && each.subscription == subscription.value()) return each;
    }
    Subscriber& fresh = message.at.emplace_back();
    fresh.node = node.value();
    fresh.subscription = subscription.value();
    return fresh;
}

DeliveryChecker::Progress& DeliveryChecker::progress(const Receiver& receiver, const MessageKey& key) {
    const Message* const known = find(key);
    const Lane lane = known == nullptr ? Lane::normal : known->traits.lane;
    return progress_[{{receiver.node.value(), receiver.subscription.value()}, receiver.life, {key.publisher, key.life}, lane}];
}

// ---- Publishing ---------------------------------------------------------------------------------------------------------

void DeliveryChecker::published(Instant at, const MessageKey& key, const bus::Published& published, const PublishTraits& traits) {
    judge_ends(at);
    Stream& stream = streams_[{key.publisher, key.life}];
    verdict_.check(once_, key.number == stream.messages.size() + 1, at, [&] { return text(key) + " is not the next one of its workload"; });
    Message& message = stream.messages.emplace_back();
    message.subscribers = published.subscribers;
    message.traits = traits;
    message.published_at = at;
    message.at.reserve(published.subscribers);
    stream.numbers[published.id.value()] = stream.messages.size();
    ++stream.open;
    ++publishes_;
}

void DeliveryChecker::crashed(Instant at, std::uint32_t process, std::uint32_t life, NodeId node, bool durable) {
    crashed_at_[node.value()] = at;
    const auto found = streams_.find({process, life});
    if (found == streams_.end()) return;
    found->second.dead = !durable;
    found->second.restarted_at = at;
    ++found->second.restarts;
}

void DeliveryChecker::recovered(Instant at, std::uint32_t process, std::uint64_t position) {
    const auto found = streams_.find({process, 0});
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    verdict_.check(durable_first_, position <= stream.messages.size(), at, [&] {
        return "process " + std::to_string(process) + " recovered a publish that it never made, number " + std::to_string(position);
    });
    while (stream.messages.size() > position) {
        const Message& message = stream.messages.back();
        const MessageKey key{process, 0, stream.messages.size()};
        const bool ran = std::ranges::any_of(message.at, [](const Subscriber& each) { return each.runs_ended != 0; });
        verdict_.check(durable_first_, !ran, at, [&] { return text(key) + " left its publisher before it was durable there"; });
        if (message.ended < message.subscribers) --stream.open;
        stream.messages.pop_back();
    }
}

// ---- Handling -----------------------------------------------------------------------------------------------------------

void DeliveryChecker::check_run(Instant at, const Receiver& receiver, Subscriber& subscriber, const MessageKey& key,
                                const bus::Message& message) {
    const bool repeat = subscriber.runs_ended > 0;
    if (repeat) {
        ++repeats_;
        verdict_.check(marked_, message.maybe_repeated, at,
                       [&] { return text(key) + " ran again at " + text(receiver.node, receiver.subscription) + " and did not say so"; });
    }
    if (subscriber.runs_ended < 0xffff) ++subscriber.runs_ended;
}

// Another message than that in hand reached its handler.
void DeliveryChecker::fence_passed(Instant at, const Receiver& receiver, bool own) {
    verdict_.check(own_lease_, own, at, [&] {
        return "process " + std::to_string(receiver.process) + " runs a message that came under no token of the lease that it guards";
    });
}

void DeliveryChecker::check_hand(Instant at, const Receiver& receiver, std::uint64_t in_hand, const MessageKey& key) {
    Message* const held = find({key.publisher, key.life, in_hand});
    if (held == nullptr) return;
    const Stream& stream = streams_.at({key.publisher, key.life});
    const Subscriber& subscriber = subscriber_of(*held, receiver.node, receiver.subscription);
    verdict_.check(once_, interrupted(stream, *held, subscriber, key.publisher), at, [&] {
        return text(key) + " reached " + text(receiver.node, receiver.subscription) + " while it had number " + std::to_string(in_hand) +
               " in hand";
    });
}

void DeliveryChecker::payload_seen(Instant at, const MessageKey& key, bool intact) {
    verdict_.check(intact_, intact, at, [&] { return text(key) + " arrived with other bytes"; });
}

void DeliveryChecker::check_final(Instant at, const Receiver& receiver, const Stream& stream, const Subscriber& subscriber,
                                  const MessageKey& key) {
    const bool forgotten = subscriber.told_in != stream.restarts && !receiver.durable;
    verdict_.check(settled_, !subscriber.final || forgotten, at, [&] {
        return text(key) + " ran at " + text(receiver.node, receiver.subscription) + " after its publisher was told " +
               std::string(to_string(subscriber.outcome));
    });
}

void DeliveryChecker::handled(Instant at, const Receiver& receiver, const MessageKey& key, const bus::Message& message, bus::Verdict said) {
    judge_ends(at);
    const SubscriptionKey subscription{receiver.node.value(), receiver.subscription.value()};
    const StreamKey stream{key.publisher, key.life};
    Progress& progress = this->progress(receiver, key);
    verdict_.check(once_, key.number > progress.last, at, [&] {
        return text(key) + " reached " + text(receiver.node, receiver.subscription) + " after number " + std::to_string(progress.last);
    });
    if (message.token != Token{}) {
        std::uint64_t& floor = floors_[subscription];
        verdict_.check(fence_, message.token.value() >= floor, at, [&] {
            return text(key) + " passed the fence of " + text(receiver.node, receiver.subscription) + " with token " +
                   std::to_string(message.token.value()) + " after " + std::to_string(floor);
        });
        floor = std::max(floor, message.token.value());
    }
    Message* const known = find(key);
    verdict_.check(durable_first_, known != nullptr, at, [&] { return text(key) + " is handled, and nobody published it"; });
    if (known == nullptr) return;
    Subscriber& subscriber = subscriber_of(*known, receiver.node, receiver.subscription);
    verdict_.check(one_outcome_, known->at.size() <= known->subscribers, at,
                   [&] { return text(key) + " reached more subscribers than it had: " + text(receiver.node, receiver.subscription); });
    const bool unheard = known->traits.after == Lamport{} || known->published_at <= streams_.at(stream).restarted_at;
    verdict_.check(causal_, unheard || message.lamport > known->traits.after, at, [&] {
        return text(key) + " has the Lamport time " + std::to_string(message.lamport.value()) + ", and its publisher had seen " +
               std::to_string(known->traits.after.value());
    });
    check_final(at, receiver, streams_.at(stream), subscriber, key);
    if (progress.in_hand != 0) check_hand(at, receiver, progress.in_hand, key);
    if (said == bus::Verdict::pending) progress.in_hand = key.number;
    subscriber.called = true;
    subscriber.said = said;
    if (said == bus::Verdict::retry_later) {
        ++subscriber.calls;
        return;
    }
    progress.last = std::max(progress.last, key.number);
    ++deliveries_;
    check_run(at, receiver, subscriber, key, message);
}

void DeliveryChecker::completing(const Receiver& receiver, const MessageKey& key) { progress(receiver, key).in_hand = 0; }

void DeliveryChecker::completed(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said, Status result) {
    Message* const known = find(key);
    if (known == nullptr) return;
    const Stream& stream = streams_.at({key.publisher, key.life});
    Subscriber& subscriber = subscriber_of(*known, receiver.node, receiver.subscription);
    const auto ended = ended_at_.find({subscriber.node, subscriber.subscription});
    const bool unsubscribed = ended != ended_at_.end() && ended->second >= known->published_at;
    verdict_.check(decides_, result == Status::ok || unsubscribed || interrupted(stream, *known, subscriber, key.publisher), at, [&] {
        return text(key) + " was taken from the handler of " + text(receiver.node, receiver.subscription) +
               ", which had it in hand: " + std::string(to_string(result));
    });
    if (result == Status::ok) subscriber.said = said;
}

void DeliveryChecker::unsubscribed(Instant at, NodeId node, SubscriptionId subscription) {
    ended_at_[{node.value(), subscription.value()}] = at;
}

// ---- Outcomes -----------------------------------------------------------------------------------------------------------

bool DeliveryChecker::has_cause(Instant at, const Stream& stream, const Message& message, const Subscriber& subscriber) const {
    const Instant since = message.published_at - kNewsTravels;
    switch (subscriber.outcome) {
        case Outcome::acknowledged: return true;
        case Outcome::expired: return message.traits.lifetime > Duration{} && at - message.published_at >= least(message.traits.lifetime);
        case Outcome::rejected: return subscriber.said == bus::Verdict::reject;
        case Outcome::fenced: return message.traits.fenced;
        case Outcome::retry_budget: return subscriber.said == bus::Verdict::retry_later && subscriber.calls >= attempts_max_;
        case Outcome::subscriber_gone: {
            const auto crash = crashed_at_.find(subscriber.node);
            const auto ended = ended_at_.find({subscriber.node, subscriber.subscription});
            return (crash != crashed_at_.end() && crash->second >= since) || (ended != ended_at_.end() && ended->second >= since) ||
                   stream.restarted_at >= message.published_at;
        }
        default: return false;
    }
}

// Whether publisher and subscriber may have lost sight of each other since the publish.
bool DeliveryChecker::interrupted(const Stream& stream, const Message& message, const Subscriber& subscriber,
                                  std::uint32_t publisher) const {
    const auto crash = crashed_at_.find(subscriber.node);
    const auto broken = breaks_.find({publisher, subscriber.node});
    return stream.restarted_at >= message.published_at || (crash != crashed_at_.end() && crash->second >= message.published_at) ||
           (broken != breaks_.end() && broken->second >= message.published_at);
}

// Of a dead letter: whether it agrees with what the handler saw and said.
void DeliveryChecker::check_end(Instant at, const Stream& stream, const Message& message, const Subscriber& subscriber,
                                const MessageKey& key) {
    verdict_.check(cause_, has_cause(at, stream, message, subscriber), at, [&] { return text(key, subscriber) + " for no reason"; });
    const bool decided = subscriber.outcome == Outcome::subscriber_gone || subscriber.outcome == Outcome::rejected;
    if (subscriber.effect == Effect::none) {
        verdict_.check(no_effect_, !subscriber.called, at,
                       [&] { return text(key, subscriber) + " without effect, and its handler had it"; });
    } else if (!decided) {
        uncertain_.push_back({at, key, NodeId{subscriber.node}, SubscriptionId{subscriber.subscription}});
    }
}

void DeliveryChecker::judge_ends(Instant at) {
    while (!uncertain_.empty() && uncertain_.back().at < at) {
        const UncertainEnd end = uncertain_.back();
        uncertain_.pop_back();
        Message* const message = find(end.key);
        if (message == nullptr) continue;
        const Stream& stream = streams_.at({end.key.publisher, end.key.life});
        Subscriber& subscriber = subscriber_of(*message, end.node, end.subscription);
        const bool broken = interrupted(stream, *message, subscriber, end.key.publisher);
        const bool undecided = subscriber.said == bus::Verdict::retry_later;
        verdict_.check(decides_, broken || (undecided && subscriber.called), end.at, [&] {
            return text(end.key, subscriber) +
                   (undecided ? ", and nobody asked whether its handler had it" : ", and its handler had it in hand or had decided");
        });
        subscriber.final = subscriber.final || !broken;
    }
}

std::uint64_t DeliveryChecker::outcome(Instant at, std::uint32_t process, std::uint32_t life, const Event& event) {
    ++outcomes_[static_cast<std::size_t>(event.outcome)];
    Stream& stream = streams_[{process, life}];
    const auto number = stream.numbers.find(event.id);
    const bool known = number != stream.numbers.end() && number->second <= stream.messages.size();
    verdict_.check(one_outcome_, known, at,
                   [&] { return "process " + std::to_string(process) + " was told the end of what it never published"; });
    if (!known) return 0;
    const MessageKey key{process, life, number->second};
    Message& message = stream.messages[number->second - 1];
    Subscriber& subscriber = subscriber_of(message, event.node, event.subscription);
    const auto who = [&] { return text(key, subscriber); };
    const Outcome before = subscriber.outcome;
    const bool retold = before != Outcome::none && subscriber.told_in != stream.restarts &&
                        (before == event.outcome || event.outcome == Outcome::subscriber_gone);
    verdict_.check(one_outcome_, (before == Outcome::none || retold) && message.at.size() <= message.subscribers, at,
                   [&] { return who() + ", and now " + std::string(to_string(event.outcome)); });
    subscriber.outcome = event.outcome;
    subscriber.effect = event.effect;
    subscriber.told_in = stream.restarts;
    subscriber.final = event.outcome == Outcome::acknowledged || event.outcome == Outcome::rejected || event.effect == Effect::none;
    if (event.outcome == Outcome::acknowledged) {
        verdict_.check(accepted_, subscriber.said == bus::Verdict::accept, at,
                       [&] { return who() + ", and its handler never accepted it"; });
    } else {
        check_end(at, stream, message, subscriber, key);
    }
    if (before == Outcome::none && ++message.ended == message.subscribers) {
        --stream.open;
        verdict_.check(lost_, true, at, [] { return std::string(); });
    }
    return key.number;
}

std::uint64_t DeliveryChecker::open() const {
    std::uint64_t count = 0;
    for (const auto& [key, stream] : streams_) {
        if (!stream.dead) count += stream.open;
    }
    return count;
}

std::uint64_t DeliveryChecker::open(std::uint32_t process) const {
    std::uint64_t count = 0;
    for (const auto& [key, stream] : streams_) {
        if (key.first == process && !stream.dead) count += stream.open;
    }
    return count;
}

std::uint64_t DeliveryChecker::owed(std::uint32_t process, NodeId node) const {
    std::uint64_t count = 0;
    const auto waits = [node](const Subscriber& each) {
        return each.node == node.value() && !is_durable(SubscriptionId{each.subscription}) && each.outcome == Outcome::none;
    };
    for (const auto& [key, stream] : streams_) {
        if (key.first != process || stream.dead || stream.open == 0) continue;
        for (const Message& message : stream.messages) count += static_cast<std::uint64_t>(std::ranges::count_if(message.at, waits));
    }
    return count;
}

// A durable subscription that has an outcome of one publish has one of each publish after it.
void DeliveryChecker::check_remembered(Instant at, const StreamKey& key, const Stream& stream) {
    std::array<std::set<SubscriptionKey>, 2> known;  // of fenced publishes, and of others
    for (std::size_t i = 0; i < stream.messages.size(); ++i) {
        const Message& message = stream.messages[i];
        if (message.ended < message.subscribers) continue;
        std::set<SubscriptionKey>& durable = known[message.traits.fenced ? 0 : 1];
        std::size_t found = 0;
        for (const Subscriber& each : message.at) {
            const SubscriptionKey name{each.node, each.subscription};
            if (!is_durable(SubscriptionId{each.subscription}) || ended_at_.contains(name)) continue;
            durable.insert(name);
            ++found;
        }
        verdict_.check(remembered_, found == durable.size(), at, [&] {
            return text({key.first, key.second, i + 1}) + " went to " + std::to_string(found) + " of the " +
                   std::to_string(durable.size()) + " durable subscribers that its publisher knew";
        });
    }
}

void DeliveryChecker::finish(Instant at) {
    judge_ends(at + Duration{1});
    for (const auto& [key, stream] : streams_) {
        check_remembered(at, key, stream);
        if (stream.dead || stream.open == 0) continue;
        for (std::size_t i = 0; i < stream.messages.size(); ++i) {
            const Message& message = stream.messages[i];
            verdict_.check(lost_, message.ended >= message.subscribers, at, [&, &stream_key = key] {
                return text({stream_key.first, stream_key.second, i + 1}) + " has " + std::to_string(message.ended) + " of " +
                       std::to_string(message.subscribers) + " outcomes";
            });
        }
    }
}

}  // namespace dunlin::sim
