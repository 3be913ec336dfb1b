#pragma once

#include <dunlin_sim/checkers/message_key.hpp>
#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/bus/message.hpp>
#include <dunlin/core/event.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dunlin::sim {

// Whose handler ran.
struct Receiver {
    std::uint32_t process = 0;
    std::uint32_t life = 0;
    NodeId node{};
    SubscriptionId subscription{};
    bool durable = false;  // durable subscription of a node with a journal
};

struct PublishTraits {
    Duration lifetime{};  // 0: no limit
    bool fenced = false;
    Lane lane = Lane::normal;
    Lamport after{};  // the highest Lamport time that a handler of its publisher had seen
};

// Watches what must hold of delivery, told by the applications that publish and subscribe:
//   one outcome a subscriber every (publish, subscriber) ends in exactly one outcome. After a restart of the publisher it may be
//                            told again, and is the same
//   payloads arrive as they left
//   handled once and in order    a handler ends a message once in a life of its process, and sees the numbers of each publisher's lanes
//                            ascending; none while it has an earlier one of the lane in hand
//   causes come before effects    a message has a higher Lamport time than what its publisher had seen in the same life
//   repeats are marked       a message that ran before a crash, of either side, says so
//   what is settled stays settled    no handler runs for what was told to be over, unless publisher and journal forgot it in a crash
//   acknowledged means accepted    what was acknowledged, that subscriber's handler has accepted
//   dead letters have a cause    expired: it had a lifetime, and that is over; rejected: the handler did; fenced: it was;
//                            retry_budget: the handler wanted it later as often as it may; gone: somebody crashed, or the subscription
//                            was ended
//   no effect means no run   the handler never had what ended with effect none
//   the handler decides      what a handler has in hand or has decided ends as it says, and what none had ends unseen: a publisher
//                            may give up without knowing only where their session broke or one of them crashed
//   tokens at a fence never fall    no handler sees a token below one that this subscriber has seen
//   a fence admits its own lease    and none without a token of the very lease that its subscription guards
//   durable before it leaves nothing of a publish is handled that its publisher's journal then does not know
//   durable means durable    whoever was a durable subscriber of a topic is one of each later publish, until it ends that
//   nothing is lost          at the end, every publish of a process that still has it has all its outcomes (finish())
class DeliveryChecker {
  public:
    // `attempts_max`: Options::attempts_max of the subscribers.
    explicit DeliveryChecker(Verdict& verdict, std::size_t attempts_max = 250);

    void published(Instant at, const MessageKey& key, const bus::Published& published, const PublishTraits& traits);
    // Whether what a handler is given is what was published under this key.
    void payload_seen(Instant at, const MessageKey& key, bool intact);
    // A handler ran and said `said`; for `pending`, completing() follows.
    void handled(Instant at, const Receiver& receiver, const MessageKey& key, const bus::Message& message, bus::Verdict said);
    // A handler of a fenced subscription has a message; `own`: under a token of the lease that it guards.
    void fence_passed(Instant at, const Receiver& receiver, bool own);
    // Before Node::complete(), which may hand over what waited behind this message; and after it, with its result.
    void completing(const Receiver& receiver, const MessageKey& key);
    void completed(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said, Status result);
    // The subscription was ended, or is about to be.
    void unsubscribed(Instant at, NodeId node, SubscriptionId subscription);
    // A session of this process with `peer` opened or closed.
    void session_changed(Instant at, std::uint32_t process, NodeId peer) { breaks_[{process, peer.value()}] = at; }
    // An Event::outcome at this process, in the life of which it numbers its publishes (0 with a journal).
    // Returns the number of the publish, or 0: it is not known.
    std::uint64_t outcome(Instant at, std::uint32_t process, std::uint32_t life, const Event& event);
    // `life`: as for outcome(). `durable`: what it published goes on after its restart.
    void crashed(Instant at, std::uint32_t process, std::uint32_t life, NodeId node, bool durable);
    // The node has crashed before and is started again: others may hear of it only now.
    void restarted(Instant at, NodeId node) { crashed_at_[node.value()] = at; }
    // A publisher with a journal is back, and its journal knows its publishes up to number `position`.
    void recovered(Instant at, std::uint32_t process, std::uint64_t position);
    // Everything had time to end.
    void finish(Instant at);

    [[nodiscard]] std::uint64_t publishes() const { return publishes_; }
    [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }  // ended by a handler
    [[nodiscard]] std::uint64_t repeats() const { return repeats_; }        // of them, again after a crash
    [[nodiscard]] std::uint64_t outcomes(Outcome outcome) const { return outcomes_[static_cast<std::size_t>(outcome)]; }
    // Publishes without all their outcomes. O(publishers).
    [[nodiscard]] std::uint64_t open() const;
    // Of these, those of one process.
    [[nodiscard]] std::uint64_t open(std::uint32_t process) const;
    // Messages of this process without an outcome that a handler of a volatile subscription at `node` had. O(messages).
    [[nodiscard]] std::uint64_t owed(std::uint32_t process, NodeId node) const;

  private:
    static constexpr Instant kLongAgo = Instant::min();
    // What is known of one message at one subscription.
    struct Subscriber {
        std::uint16_t node = 0;
        std::uint16_t runs_ended = 0;  // by accept, reject or pending
        std::uint32_t subscription = 0;
        std::uint32_t told_in = 0;                      // the publisher's restarts when its outcome was told
        bus::Verdict said = bus::Verdict::retry_later;  // at the last run
        Outcome outcome = Outcome::none;
        Effect effect = Effect::none;
        std::uint32_t calls = 0;  // of a handler that said retry_later
        bool called = false;      // a handler had it, whatever it said
        bool final = false;       // its outcome is one that nothing may come after
    };
    struct Message {
        std::uint16_t subscribers = 0;
        std::uint16_t ended = 0;
        PublishTraits traits{};
        Instant published_at{};
        std::vector<Subscriber> at;
    };
    struct Stream {
        std::vector<Message> messages;                             // by number - 1
        std::unordered_map<std::uint64_t, std::uint64_t> numbers;  // by PublishId
        std::uint64_t open = 0;
        std::uint32_t restarts = 0;
        Instant restarted_at = kLongAgo;
        bool dead = false;  // its process lost it in a crash
    };
    // A dead letter whose effect nobody knows. Judged a moment later, because a node tells outcomes before whatever else happened.
    struct UncertainEnd {
        Instant at{};
        MessageKey key{};
        NodeId node{};
        SubscriptionId subscription{};
    };
    using StreamKey = std::pair<std::uint32_t, std::uint32_t>;        // process, life
    using SubscriptionKey = std::pair<std::uint16_t, std::uint32_t>;  // node, subscription
    struct Progress {
        std::uint64_t last = 0;     // number that was ended, or left pending
        std::uint64_t in_hand = 0;  // number of a pending message; 0: none
    };
    using ProgressKey = std::tuple<SubscriptionKey, std::uint32_t, StreamKey, Lane>;  // with the subscriber's life

    [[nodiscard]] Message* find(const MessageKey& key);
    [[nodiscard]] Progress& progress(const Receiver& receiver, const MessageKey& key);
    [[nodiscard]] static Subscriber& subscriber_of(Message& message, NodeId node, SubscriptionId subscription);
    void check_run(Instant at, const Receiver& receiver, Subscriber& subscriber, const MessageKey& key, const bus::Message& message);
    void check_hand(Instant at, const Receiver& receiver, std::uint64_t in_hand, const MessageKey& key);
    void check_final(Instant at, const Receiver& receiver, const Stream& stream, const Subscriber& subscriber, const MessageKey& key);
    void check_end(Instant at, const Stream& stream, const Message& message, const Subscriber& subscriber, const MessageKey& key);
    void judge_ends(Instant at);
    void check_remembered(Instant at, const StreamKey& key, const Stream& stream);
    [[nodiscard]] bool has_cause(Instant at, const Stream& stream, const Message& message, const Subscriber& subscriber) const;
    [[nodiscard]] bool interrupted(const Stream& stream, const Message& message, const Subscriber& subscriber,
                                   std::uint32_t publisher) const;

    Verdict& verdict_;
    std::size_t attempts_max_;
    Verdict::Invariant one_outcome_, intact_, remembered_, causal_, once_, marked_, settled_, accepted_, cause_, no_effect_, decides_,
        fence_, own_lease_, durable_first_, lost_;
    std::map<StreamKey, Stream> streams_;
    std::map<ProgressKey, Progress> progress_;
    std::map<SubscriptionKey, std::uint64_t> floors_;                    // highest token seen
    std::map<std::uint16_t, Instant> crashed_at_;                        // by node, the last time; or its restart
    std::map<SubscriptionKey, Instant> ended_at_;                        // the last time
    std::map<std::pair<std::uint32_t, std::uint16_t>, Instant> breaks_;  // of sessions, by process and its peer, the last one
    std::vector<UncertainEnd> uncertain_;
    std::array<std::uint64_t, 16> outcomes_{};
    std::uint64_t publishes_ = 0;
    std::uint64_t deliveries_ = 0;
    std::uint64_t repeats_ = 0;
};

}  // namespace dunlin::sim
