// Two ends of a link under whatever a network, two applications and two impatient processes may do: the bytes of the input say what
// happens next. Then all is well again, and every accepted message must have had exactly one outcome, which agrees with what its
// handler saw and said; no handler gets what it has decided or has in hand; and each subscription sees its messages in order.
#include <link/endpoint.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>

namespace {

using namespace dunlin;
using namespace dunlin::link;

// So little of everything that each limit is reached.
constexpr Limits kSmall{.outbox_bytes = 8 * 1024,
                        .outbox_messages = 24,
                        .deliveries = 24,
                        .inbox_bytes = 8 * 1024,
                        .inbox_messages = 10,
                        .message_bytes_max = 3000,
                        .packets_in_flight_per_peer = 8};
using End = EndpointOf<kSmall>;

LinkSelf long_packets() {
    LinkSelf self;
    self.packet_bytes_max = 1472;
    return self;
}

constexpr PathId kPath{1};
constexpr std::size_t kAirMax = 64;
constexpr std::uint32_t kSubscriptions = 3;

// The input, as the next thing that happens; zeros when it is used up.
class Script {
  public:
    Script(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    [[nodiscard]] bool empty() const { return at_ >= size_; }
    std::uint8_t next() { return empty() ? std::uint8_t{0} : data_[at_++]; }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

// One message as its publisher and its handler know it.
struct Known {
    SubscriptionId subscription{};
    bool called = false;
    bool decided = false;  // by its handler
    Disposition said = Disposition::retry_later;
    std::optional<Outcome> outcome{};
};

class Side {
  public:
    Side(NodeId id, Script& script) : end(id, id.value(), long_packets()), script_(script) {}

    void publish(Instant now, std::uint8_t how) {
        std::string payload(4 + (how >> 3U) * std::size_t{90}, 'x');
        const auto number = static_cast<std::uint32_t>(published.size());
        std::memcpy(payload.data(), &number, sizeof(number));
        const SubscriptionId subscription{100 + how % kSubscriptions};
        const Duration lifetime = (how & 4U) != 0 ? milliseconds{1 + how} : Duration{0};
        const std::string topic(1 + how % 40U, static_cast<char>('a' + how % 5));
        if (end.publish(now, payload, {.topic = topic, .subscription = subscription, .lifetime = lifetime})) {
            published.push_back({.subscription = subscription});
            ids.push_back(end.outbox.next_id().value() - 1);
        }
    }

    // What this side's handlers say to a message of `other`.
    Disposition handle(const InboundMessage& message, Side& other, bool calm) {
        std::uint32_t number = 0;
        std::memcpy(&number, message.payload.data(), sizeof(number));
        DUNLIN_ASSERT(number < other.published.size());
        Known& known = other.published[number];
        DUNLIN_ASSERT(known.subscription == message.subscription);
        DUNLIN_ASSERT(!known.decided);
        std::uint32_t& in_order = next_[message.subscription.value() - 100];
        DUNLIN_ASSERT(number >= in_order);
        forget_expired(message.subscription, other);
        known.called = true;
        known.said = calm ? Disposition::accepted : say();
        known.decided = known.said != Disposition::retry_later;
        in_order = known.decided ? number + 1 : number;
        if (known.said == Disposition::pending) pending.push_back({message.sequence, message.stream_tag, message.subscription, number});
        return known.said;
    }

    void complete(Instant now, std::size_t which, Side& other) {
        if (pending.empty()) return;
        const auto at = pending.begin() + static_cast<std::ptrdiff_t>(which % pending.size());
        const Pending each = *at;
        pending.erase(at);
        const Status done = end.link->receiver().complete(now, each.sequence, each.stream_tag, Disposition::accepted);
        other.take_outcomes();
        DUNLIN_ASSERT(done == Status::ok || other.published[each.number].outcome == Outcome::expired);
        if (done == Status::ok) other.published[each.number].said = Disposition::accepted;
    }

    void take_outcomes() {
        for (const OutcomeReport& report : end.outcomes()) {
            const auto id = std::find(ids.begin(), ids.end(), report.id.value());
            DUNLIN_ASSERT(id != ids.end());
            Known& known = published[static_cast<std::size_t>(id - ids.begin())];
            DUNLIN_ASSERT(!known.outcome);
            known.outcome = report.outcome;
            if (report.outcome == Outcome::acknowledged) DUNLIN_ASSERT(known.said == Disposition::accepted);
            if (report.outcome == Outcome::rejected) DUNLIN_ASSERT(known.said == Disposition::rejected);
            if (report.outcome != Outcome::acknowledged && report.effect == Effect::none) DUNLIN_ASSERT(!known.called);
        }
    }

    struct Pending {
        Sequence sequence{};
        std::uint16_t stream_tag = 0;
        SubscriptionId subscription{};
        std::uint32_t number = 0;
    };
    End end;
    std::vector<Known> published;    // by number
    std::vector<std::uint64_t> ids;  // their PublishId
    std::vector<Pending> pending;    // in the hands of this side's handlers

  private:
    // What the handler of this subscription has in hand was given up by its publisher, or nothing else may come.
    void forget_expired(SubscriptionId subscription, Side& other) {
        other.take_outcomes();
        std::erase_if(pending, [&](const Pending& each) {
            if (each.subscription != subscription) return false;
            DUNLIN_ASSERT(other.published[each.number].outcome == Outcome::expired);
            return true;
        });
    }
    Disposition say() {
        switch (script_.next() % 8) {
            case 0: return Disposition::rejected;
            case 1:
            case 2: return Disposition::retry_later;
            case 3: return Disposition::pending;
            default: return Disposition::accepted;
        }
    }

    Script& script_;
    std::array<std::uint32_t, kSubscriptions> next_{};  // what each subscription sees next has at least this number
};

class Pair {
  public:
    Pair(const std::uint8_t* data, std::size_t size) : script_(data, size), sides_{Side(NodeId{1}, script_), Side(NodeId{2}, script_)} {
        for (std::size_t i = 0; i < 2; ++i) {
            sides_[i].end.handler = [this, i](const InboundMessage& message) { return sides_[i].handle(message, sides_[1 - i], calm_); };
            sides_[i].end.link->dial(now_, kPath);
        }
    }

    void run() {
        while (!script_.empty()) {
            step(script_.next());
            act();
        }
        settle();
    }

  private:
    void step(std::uint8_t op) {
        const std::size_t end = op >> 7U;
        Side& side = sides_[end];
        switch (op & 0x0fU) {
            case 0:
            case 1:
            case 2: return side.publish(now_, script_.next());
            case 3: return advance(microseconds{1 + 10 * script_.next()});
            case 4: return advance(milliseconds{script_.next()});
            case 5: return advance(milliseconds{20} * script_.next());
            case 6: return deliver(script_.next(), false);
            case 7: return deliver(script_.next(), true);
            case 8: return lose(script_.next());
            case 9: return corrupt(script_.next(), script_.next());
            case 10: return side.complete(now_, script_.next(), sides_[1 - end]);
            case 11: return side.end.link->restart(now_);
            case 12: return side.end.link->path_down(now_, kPath);
            case 13: return (op & 0x10U) != 0 ? narrow(script_.next()) : side.end.link->dial(now_, kPath);
            case 14: return heartbeat(end);
            default: return deliver_all();
        }
    }

    // What is due now, and the packets that come of it.
    void act() {
        for (bool more = true; more;) {
            more = false;
            for (std::size_t from = 0; from < 2; ++from) {
                End& end = sides_[from].end;
                if (end.link->next_deadline() <= now_) end.link->on_timeout(now_);
                PathId path{};
                for (auto bytes = end.send(now_, path); !bytes.empty(); bytes = end.send(now_, path)) {
                    launch(1 - from, std::move(bytes));
                    more = true;
                }
            }
        }
        for (Side& side : sides_) side.take_outcomes();
    }

    void launch(std::size_t to, std::vector<std::byte> bytes) {
        if (bytes.size() > carries_) return;
        if (air_.size() == kAirMax) air_.pop_front();
        air_.push_back({to, std::move(bytes)});
    }
    void heartbeat(std::size_t from) {
        if (auto bytes = sides_[from].end.heartbeat(now_); !bytes.empty()) launch(1 - from, std::move(bytes));
    }
    // Any one of them: so they overtake each other.
    void deliver(std::size_t which, bool keep) {
        if (air_.empty()) return;
        const auto at = air_.begin() + static_cast<std::ptrdiff_t>(which % air_.size());
        Flying packet = *at;
        if (!keep) air_.erase(at);
        (void)sides_[packet.to].end.receive(now_, kPath, packet.bytes);
    }
    void deliver_all() {
        for (std::size_t i = air_.size(); i > 0; --i) deliver(0, false);
    }
    void lose(std::size_t which) {
        if (!air_.empty()) air_.erase(air_.begin() + static_cast<std::ptrdiff_t>(which % air_.size()));
    }
    void corrupt(std::size_t which, std::size_t where) {
        if (air_.empty()) return;
        std::vector<std::byte>& bytes = air_[which % air_.size()].bytes;
        bytes[where * 7 % bytes.size()] ^= std::byte{1};
    }
    void advance(Duration time) { now_ += time; }
    void narrow(std::size_t by) { carries_ = 1472 - by; }  // what every session begins with passes

    // Nothing that was published waits for its end, and nothing that was received for its handler.
    [[nodiscard]] bool settled() const {
        return std::ranges::all_of(sides_,
                                   [](const Side& side) { return side.end.outbox.messages_used() == 0 && side.end.inbox.used() == 0; });
    }

    // From now on all is well: packets take a millisecond, handlers accept.
    void settle() {
        calm_ = true;
        for (std::size_t i = 0; i < 2; ++i) sides_[i].end.link->dial(now_, kPath);
        const Instant limit = now_ + seconds{60};
        Instant heartbeat_at = now_;
        while (!settled() || !air_.empty()) {
            DUNLIN_ASSERT(now_ < limit);
            act();
            deliver_all();
            for (std::size_t i = 0; i < 2; ++i) {
                while (!sides_[i].pending.empty()) sides_[i].complete(now_, 0, sides_[1 - i]);
            }
            act();
            if (now_ >= heartbeat_at) {
                heartbeat(0);
                heartbeat(1);
                heartbeat_at = now_ + milliseconds{200};
            }
            const Instant due = std::min({sides_[0].end.link->next_deadline(), sides_[1].end.link->next_deadline(), heartbeat_at});
            now_ = air_.empty() ? std::max(due, now_ + milliseconds{1}) : now_ + milliseconds{1};
        }
        for (const Side& side : sides_) {
            for (const Known& known : side.published) DUNLIN_ASSERT(known.outcome.has_value());
        }
    }

    struct Flying {
        std::size_t to = 0;
        std::vector<std::byte> bytes;
    };
    Script script_;
    std::array<Side, 2> sides_;
    std::deque<Flying> air_;
    std::size_t carries_ = 1472;
    Instant now_{seconds{1000}};
    bool calm_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) return 0;
    Pair(data, size).run();
    return 0;
}
