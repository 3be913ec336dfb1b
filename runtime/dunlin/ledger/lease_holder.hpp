#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/ledger/client.hpp>
#include <dunlin/ledger/lease_key.hpp>

#include <array>

namespace dunlin::ledger {

// How long a holder may rely on a lease, on its own clock, counted from the first transmission of the request that was
// acknowledged: ttl * (1 - rho_self) * (1 - rho_voters) - guard, rounded down. Rho is a clock's rate error in ppm. 0 where
// the guard is longer than that.
[[nodiscard]] Duration lease_validity(Duration ttl, std::uint32_t self_ppm, std::uint32_t voters_ppm, Duration guard);

enum class LeaseState : std::uint8_t {
    none,      // the handle names no lease (released, or never made)
    waiting,   // wanted; somebody else holds it, or nobody has answered yet
    held,      // valid, and renewed in time
    jeopardy,  // still valid, but half of the validity has gone without an acknowledged renewal: prepare to stop
    lost,      // validity ended, or the ledger said so; wanted again
};

struct LeaseHandle {
    std::uint16_t slot = 0;
    std::uint16_t generation = 0;  // 0: no lease
    friend constexpr bool operator==(const LeaseHandle&, const LeaseHandle&) = default;
};

// What a holder knows of its lease. A copy: take a fresh one, with a fresh `now`, right before acting. A pause between
// the check and the act (of a thread, or of the whole machine) is stopped by the token alone.
struct LeaseView {
    LeaseState state = LeaseState::none;
    LeaseKey key{};
    Token token{};
    Instant valid_until{};        // on this node's clock; meaningful in held and jeopardy
    Status refused = Status::ok;  // waiting, lost: how the last attempt to acquire it ended; ok: none has yet

    // Whether the lease is valid at `now` and will be for `margin` more.
    [[nodiscard]] bool valid_for(Instant now, Duration margin) const {
        return (state == LeaseState::held || state == LeaseState::jeopardy) && now <= valid_until && margin <= valid_until - now;
    }
};

struct LeaseHolderOptions {
    std::uint32_t clock_rate_bound_ppm = 1000;  // of this node's own clock
    Duration guard = milliseconds{5};
    static constexpr Duration retry_max = seconds{1};  // between attempts to acquire a lease that is held by somebody else
    static constexpr Duration renew_retry =
        milliseconds{200};                                  // between transmissions of one renewal; an eighth of the ttl if that is less
    static constexpr Duration silence = milliseconds{250};  // a voter that does not answer for so long is no longer asked
};

enum class HolderPhase : std::uint8_t { free, wanted, acquiring, holding, releasing };

struct HeldLease {
    std::uint64_t token = 0;
    std::uint64_t renewal = 0;     // request number of the renewal under way; 0: none
    Instant valid_from{};          // first transmission of the request that was last acknowledged
    Instant valid_until{};         // releasing: when the lease has run out by itself
    Instant renewal_first_sent{};  // kNever: not yet
    Instant asked_since{};         // when it was first owed to `asked`
    Instant next_action{};         // wanted, releasing: when to ask; holding: when to transmit the renewal again
    RequestId request{};           // of acquire or release; 0: none under way
    std::uint32_t ttl_us = 0;
    std::uint32_t voters_ppm = 0;
    NodeId asked{};          // whom the renewal is owed to, or went to last
    std::uint16_t slot = 0;  // in the ledger
    std::uint16_t generation = 0;
    HolderPhase phase = HolderPhase::free;
    LeaseState state = LeaseState::none;
    Status refused = Status::ok;  // what ended the last attempt to acquire it
    std::uint8_t name_length = 0;
    bool renewal_owed : 1 = false;  // to be written to the client's target
    bool unwanted : 1 = false;      // released while an acquire was under way
    std::array<char, kLeaseNameBytesMax> name{};
};

// The leases that this node holds or wants: acquires each as soon as it is free, renews it every third of its ttl, tells
// its state in events (lease_held, lease_jeopardy, lease_lost), and acquires it again when it was lost, until released.
// Invariant: a view is valid only while its validity, counted from a transmission, lasts; whatever happens to replies,
// timers or this process can only make that shorter.
class LeaseHolder {
  public:
    LeaseHolder(std::span<HeldLease> leases, const LeaseHolderOptions& options, Client& client, Counters& counters, Random& random,
                EventQueue& events);
    LeaseHolder(const LeaseHolder&) = delete;
    LeaseHolder& operator=(const LeaseHolder&) = delete;

    // The epoch that leases are held under; call before the first acquire().
    void start(BootEpoch epoch) { epoch_ = epoch; }

    // invalid_argument: name or ttl (kLeaseTtlMin..kLeaseTtlMax), or this node already wants that name; too_large: the name;
    // busy: that name is still being released; table_full.
    [[nodiscard]] Result<LeaseHandle> acquire(Instant now, std::string_view name, Duration ttl);
    // Ends validity at once, before anything is sent, and then gives the lease back. The handle is of no use afterwards.
    void release(Instant now, LeaseHandle handle);
    void release_all(Instant now);
    [[nodiscard]] LeaseView view(LeaseHandle handle) const;
    // Nothing is held, wanted or being released.
    [[nodiscard]] bool idle() const;
    [[nodiscard]] std::uint16_t held(Instant now) const;  // how many are valid

    // Takes the client's results; call after anything that may have brought one.
    void take_results(Instant now);
    bool on_record(Instant now, NodeId from, const wire::Record& record);  // renew_reply
    [[nodiscard]] bool wants_to_send(NodeId to) const;
    void write_records(Instant now, NodeId to, wire::PacketWriter& writer);

    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now);

  private:
    void advance(Instant now, HeldLease& lease);
    void hold(Instant now, HeldLease& lease);
    void ask_for_lease(Instant now, HeldLease& lease);
    void ask_for_release(Instant now, HeldLease& lease);
    void on_acquire_result(Instant now, HeldLease& lease, const RequestResult& result);
    void on_granted(Instant now, HeldLease& lease, const RequestResult& result);
    void on_renewed(Instant now, HeldLease& lease);
    void start_release(Instant now, HeldLease& lease);
    void ask_from_now(Instant now, HeldLease& lease, NodeId voter);
    void lose(Instant now, HeldLease& lease);
    void forget(HeldLease& lease);
    void tell(EventKind kind, const HeldLease& lease);
    [[nodiscard]] HeldLease* find(LeaseHandle handle);
    [[nodiscard]] Duration validity_of(const HeldLease& lease) const;
    [[nodiscard]] Duration renew_retry_of(const HeldLease& lease) const;
    [[nodiscard]] Instant jeopardy_at(const HeldLease& lease) const;
    [[nodiscard]] Instant deadline_of(const HeldLease& lease) const;

    std::span<HeldLease> leases_;
    LeaseHolderOptions options_;
    Client* client_;
    Counters* counters_;
    Random* random_;
    EventQueue* events_;
    std::uint64_t last_renewal_ = 0;
    BootEpoch epoch_{1};
};

}  // namespace dunlin::ledger
