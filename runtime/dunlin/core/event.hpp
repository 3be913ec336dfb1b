#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/ring.hpp>
#include <dunlin/core/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin {

// How a publish ended for one subscriber. Everything but `acknowledged` is a dead letter. Travels in settlements.
enum class Outcome : std::uint8_t {
    none = 0,
    acknowledged = 1,
    expired = 2,
    rejected = 3,
    fenced = 4,
    subscriber_gone = 5,
    peer_removed = 6,
    retry_budget = 7,
    skipped = 8,  // on the wire only: the receiver never handed it to a handler
};
// Whether a handler may have seen a dead letter.
enum class Effect : std::uint8_t { none = 0, unknown = 1 };

[[nodiscard]] std::string_view to_string(Outcome outcome);

enum class EventKind : std::uint8_t {
    none = 0,
    started,             // recovery is over, the node may publish; value: boot epoch
    outcome,             // id: PublishId, node + subscription: the subscriber, outcome, effect
    session_opened,      // node, value: its epoch
    session_closed,      // node
    peer_alive,          // node, value: epoch
    peer_suspect,        // node
    peer_dead,           // node
    identity_conflict,   // another live process uses this node's id, or it is a voter's with another journal; node: who said so
    subscribed,          // node + subscription: a peer's subscription is known here
    unsubscribed,        // node + subscription
    bound,               // value: cluster incarnation
    role_changed,        // value: Role, detail: term
    leader_changed,      // node: the leader (0: none), value: term
    committed,           // first commit of this leader in its term; value: log index, detail: term
    snapshot_installed,  // value: log index
    diverged,            // this voter stopped, loudly; status: why, value: log index applied
    request_done,        // request, status, value, detail: see the call that made the request
    lease_held,          // slot: the lease handle, value: token
    lease_jeopardy,      // slot
    lease_lost,          // slot, value: token
    circuit_opened,      // node: a voter that keeps silent, passed over until it is tried again
    circuit_closed,      // node: it answers again
    message_fenced,      // here: node = publisher, value: token refused, detail: floor
    key_table_full,      // here: messages with a key wait until one runs out; node = publisher, subscription: of the first
    failed,              // status: the node stopped: its journal cannot be used, or is somebody else's; or see Node::shutdown()
    events_lost,         // value: how many events had no room before this one
};
[[nodiscard]] std::string_view to_string(EventKind kind);

// What the application should know. Which fields count depends on `kind`; the others are zero.
struct Event {
    EventKind kind = EventKind::none;
    Status status = Status::ok;
    Outcome outcome = Outcome::none;
    Effect effect = Effect::none;
    NodeId node{};
    std::uint16_t slot = 0;
    RequestId request{};
    SubscriptionId subscription{};
    std::uint64_t id = 0;
    std::uint64_t value = 0;
    std::uint64_t detail = 0;
};

// Events wait here until polled. When full the newest is dropped and counted, and `events_lost` stands where the first of
// them would have been and tells how many. (Outcomes and results of requests are kept in their own slots, and are never
// dropped.) Every operation is O(1).
class EventQueue {
  public:
    EventQueue(std::span<Event> storage, Counters& counters) : ring_(storage), counters_(&counters) {}
    void push(const Event& event);
    [[nodiscard]] bool empty() const { return ring_.empty() && lost_ == 0; }
    // The oldest event, or kind none.
    [[nodiscard]] Event pop();

  private:
    Ring<Event> ring_;
    Counters* counters_;
    std::uint64_t lost_ = 0;
    std::size_t before_loss_ = 0;  // events in the ring that are older than the first lost one; counts while lost_ > 0
};

}  // namespace dunlin
