#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/ledger/lease_holder.hpp>

#include <algorithm>

namespace dunlin::ledger {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

// value * (1 - ppm / 10^6), rounded down. Fits: value is below 2^42.
std::int64_t less_ppm(std::int64_t value, std::uint32_t ppm) {
    return static_cast<std::int64_t>(divide(static_cast<std::uint64_t>(value * (kMillion - ppm)), kMillion).quotient);
}

std::string_view name_of(const HeldLease& lease) { return {lease.name.data(), lease.name_length}; }

}  // namespace

Duration lease_validity(Duration ttl, std::uint32_t self_ppm, std::uint32_t voters_ppm, Duration guard) {
    if (self_ppm >= kMillion || voters_ppm >= kMillion) return Duration::zero();
    const std::int64_t validity = less_ppm(less_ppm(to_us(ttl), self_ppm), voters_ppm) - to_us(guard);
    return from_us(std::max<std::int64_t>(validity, 0));
}

LeaseHolder::LeaseHolder(std::span<HeldLease> leases, const LeaseHolderOptions& options, Client& client, Counters& counters, Random& random,
                         EventQueue& events)
    : leases_(leases), options_(options), client_(&client), counters_(&counters), random_(&random), events_(&events) {}

// ---- Wanting and releasing ------------------------------------------------------------------------------------------

Result<LeaseHandle> LeaseHolder::acquire(Instant now, std::string_view name, Duration ttl) {
    if (name.empty() || ttl < kLeaseTtlMin || ttl > kLeaseTtlMax) return Status::invalid_argument;
    if (name.size() > kLeaseNameBytesMax) return Status::too_large;
    HeldLease* free = nullptr;
    for (HeldLease& lease : leases_) {
        if (lease.phase == HolderPhase::free) {
            if (free == nullptr) free = &lease;
        } else if (name_of(lease) == name) {
            return lease.phase == HolderPhase::releasing || lease.unwanted ? Status::busy : Status::invalid_argument;
        }
    }
    if (free == nullptr) return Status::table_full;
    const std::uint16_t generation = free->generation;
    *free = HeldLease{};
    free->generation = generation == 0 ? std::uint16_t{1} : generation;
    free->ttl_us = static_cast<std::uint32_t>(to_us(ttl));
    free->name_length = static_cast<std::uint8_t>(name.size());
    std::ranges::copy(name, free->name.begin());
    free->phase = HolderPhase::wanted;
    free->state = LeaseState::waiting;
    free->next_action = now;
    advance(now, *free);
    return LeaseHandle{static_cast<std::uint16_t>(free - leases_.data()), free->generation};
}

HeldLease* LeaseHolder::find(LeaseHandle handle) {
    if (handle.generation == 0 || handle.slot >= leases_.size()) return nullptr;
    HeldLease& lease = leases_[handle.slot];
    return lease.generation == handle.generation && lease.phase != HolderPhase::free ? &lease : nullptr;
}

void LeaseHolder::release(Instant now, LeaseHandle handle) {
    HeldLease* lease = find(handle);
    if (lease == nullptr) return;
    if (++lease->generation == 0) lease->generation = 1;
    switch (lease->phase) {
        case HolderPhase::acquiring:
            lease->unwanted = true;
            lease->state = LeaseState::none;
            break;
        case HolderPhase::holding: start_release(now, *lease); break;
        default: forget(*lease);
    }
}

void LeaseHolder::release_all(Instant now) {
    for (std::size_t slot = 0; slot < leases_.size(); ++slot) {
        const HeldLease& lease = leases_[slot];
        if (lease.phase == HolderPhase::releasing || lease.unwanted) continue;
        release(now, {static_cast<std::uint16_t>(slot), lease.generation});
    }
}

// From here on no view is valid; only then may the ledger hear of it.
void LeaseHolder::start_release(Instant now, HeldLease& lease) {
    lease.state = LeaseState::none;
    lease.phase = HolderPhase::releasing;
    lease.renewal = 0;
    lease.renewal_owed = false;
    lease.unwanted = false;
    lease.valid_until = now + from_us(lease.ttl_us);
    lease.next_action = now;  // not when the renewal would have been sent again
    ask_for_release(now, lease);
}

void LeaseHolder::forget(HeldLease& lease) {
    const std::uint16_t generation = lease.generation;
    lease = HeldLease{};
    lease.generation = generation;
}

LeaseView LeaseHolder::view(LeaseHandle handle) const {
    if (handle.generation == 0 || handle.slot >= leases_.size()) return {};
    const HeldLease& lease = leases_[handle.slot];
    if (lease.generation != handle.generation || lease.phase == HolderPhase::free) return {};
    return {lease.state, lease_key(name_of(lease)), Token{lease.token}, lease.valid_until, lease.refused};
}

bool LeaseHolder::idle() const {
    return std::ranges::all_of(leases_, [](const HeldLease& lease) { return lease.phase == HolderPhase::free; });
}

std::uint16_t LeaseHolder::held(Instant now) const {
    return static_cast<std::uint16_t>(std::ranges::count_if(
        leases_, [now](const HeldLease& lease) { return lease.phase == HolderPhase::holding && now <= lease.valid_until; }));
}

// ---- Answers --------------------------------------------------------------------------------------------------------

void LeaseHolder::take_results(Instant now) {
    RequestResult result{};
    while (client_->poll_result(Requester::lease_holder, result)) {
        const auto match = std::ranges::find(leases_, result.request, &HeldLease::request);
        if (match == leases_.end()) continue;
        match->request = RequestId{};
        if (match->phase == HolderPhase::acquiring) {
            on_acquire_result(now, *match, result);
        } else if (result.status == Status::ok || result.status == Status::lease_lost) {
            forget(*match);
        } else {
            match->next_action = now + options_.renew_retry;
        }
    }
}

void LeaseHolder::on_acquire_result(Instant now, HeldLease& lease, const RequestResult& result) {
    if (result.status == Status::ok) {
        on_granted(now, lease, result);
        return;
    }
    if (lease.unwanted) {  // if it was granted after all, it runs out
        forget(lease);
        return;
    }
    lease.refused = result.status;
    Duration pause = options_.retry_max;
    if (result.status == Status::lease_held) {
        const std::uint64_t remaining = std::min(result.value, static_cast<std::uint64_t>(to_us(options_.retry_max)));
        pause = std::max(from_us(static_cast<std::int64_t>(remaining)), options_.renew_retry / 4);
    }
    lease.phase = HolderPhase::wanted;
    lease.next_action = now + random_->between(pause / 2, pause);
}

void LeaseHolder::on_granted(Instant now, HeldLease& lease, const RequestResult& result) {
    const AcquireDetail detail = AcquireDetail::from(result.detail);
    lease.token = result.value;
    lease.slot = detail.slot;
    lease.voters_ppm = detail.voter_rate_ppm;
    if (lease.unwanted) {
        start_release(now, lease);
        return;
    }
    lease.valid_from = result.first_sent;
    lease.valid_until = result.first_sent + validity_of(lease);
    if (now >= lease.valid_until) {  // the answer took longer than the lease lasts
        lease.phase = HolderPhase::wanted;
        lease.next_action = now + random_->between(Duration::zero(), options_.renew_retry);
        return;
    }
    lease.phase = HolderPhase::holding;
    lease.state = LeaseState::held;
    lease.refused = Status::ok;
    tell(EventKind::lease_held, lease);
    advance(now, lease);
}

bool LeaseHolder::on_record(Instant now, NodeId from, const wire::Record& record) {
    if (record.type != wire::RecordType::renew_reply) return false;
    if (!client_->is_target(from)) return true;
    client_->on_answer(from);
    const wire::RenewReply reply = record.as<wire::RenewReply>();
    const auto match = std::ranges::find_if(leases_, [&reply](const HeldLease& lease) {
        return lease.phase == HolderPhase::holding && lease.renewal != 0 && lease.renewal == reply.request() &&
               lease.token == reply.token();
    });
    if (match == leases_.end() || match->renewal_first_sent == kNever) return true;
    hold(now, *match);  // what has run out stays lost, whatever this reply says
    if (match->phase != HolderPhase::holding) return true;
    switch (static_cast<Status>(reply.status())) {
        case Status::ok: on_renewed(now, *match); break;
        case Status::lease_lost: lose(now, *match); break;
        default:
            client_->on_not_leader(now, from, NodeId{reply.leader()});
            match->next_action = earlier(match->next_action, now + renew_retry_of(*match) / 8);
    }
    return true;
}

void LeaseHolder::on_renewed(Instant now, HeldLease& lease) {
    lease.valid_from = lease.renewal_first_sent;
    lease.valid_until = lease.valid_from + validity_of(lease);
    lease.renewal = 0;
    lease.renewal_owed = false;
    if (lease.state == LeaseState::jeopardy && now < jeopardy_at(lease)) {
        lease.state = LeaseState::held;
        tell(EventKind::lease_held, lease);
    }
    advance(now, lease);
}

// ---- Time -----------------------------------------------------------------------------------------------------------

Duration LeaseHolder::validity_of(const HeldLease& lease) const {
    return lease_validity(from_us(lease.ttl_us), options_.clock_rate_bound_ppm, lease.voters_ppm, options_.guard);
}

Duration LeaseHolder::renew_retry_of(const HeldLease& lease) const { return std::min(options_.renew_retry, from_us(lease.ttl_us / 8)); }

Instant LeaseHolder::jeopardy_at(const HeldLease& lease) const { return lease.valid_from + (lease.valid_until - lease.valid_from) / 2; }

void LeaseHolder::advance(Instant now, HeldLease& lease) {
    switch (lease.phase) {
        case HolderPhase::wanted: ask_for_lease(now, lease); break;
        case HolderPhase::holding: hold(now, lease); break;
        case HolderPhase::releasing: ask_for_release(now, lease); break;
        default: break;
    }
}

void LeaseHolder::hold(Instant now, HeldLease& lease) {
    if (now > lease.valid_until) {
        lose(now, lease);
        return;
    }
    if (lease.state == LeaseState::held && now >= jeopardy_at(lease)) {
        lease.state = LeaseState::jeopardy;
        counters_->add(Counter::leases_in_jeopardy);
        tell(EventKind::lease_jeopardy, lease);
    }
    if (lease.renewal == 0) {
        if (now < lease.valid_from + from_us(lease.ttl_us / 3)) return;
        lease.renewal = ++last_renewal_;
        lease.renewal_first_sent = kNever;
        lease.asked = NodeId{};
    } else if (now < lease.next_action) {
        return;
    }
    if (lease.asked == client_->target() && now - lease.asked_since >= options_.silence) client_->on_silence(now, lease.asked);
    ask_from_now(now, lease, client_->target());
    lease.renewal_owed = true;
    lease.next_action = now + renew_retry_of(lease);
}

// The silence of a voter counts from when the renewal became owed to it: with no session to it, nothing is ever written.
void LeaseHolder::ask_from_now(Instant now, HeldLease& lease, NodeId voter) {
    if (lease.asked == voter) return;
    lease.asked = voter;
    lease.asked_since = now;
}

void LeaseHolder::lose(Instant now, HeldLease& lease) {
    lease.state = LeaseState::lost;
    counters_->add(Counter::leases_lost);
    tell(EventKind::lease_lost, lease);
    lease.token = 0;
    lease.renewal = 0;
    lease.renewal_owed = false;
    lease.phase = HolderPhase::wanted;
    lease.next_action = now;
    ask_for_lease(now, lease);
}

void LeaseHolder::ask_for_lease(Instant now, HeldLease& lease) {
    if (now < lease.next_action) return;
    const Result<RequestId> request = client_->acquire(now, {name_of(lease), from_us(lease.ttl_us), epoch_});
    if (!request.ok()) {
        lease.next_action = now + options_.renew_retry / 4;
        return;
    }
    lease.request = request.value();
    lease.phase = HolderPhase::acquiring;
}

void LeaseHolder::ask_for_release(Instant now, HeldLease& lease) {
    if (now >= lease.valid_until) {  // it has run out by itself
        forget(lease);
        return;
    }
    if (lease.request != RequestId{} || now < lease.next_action) return;
    const Result<RequestId> request = client_->release(now, {name_of(lease), Token{lease.token}});
    lease.request = request.ok() ? request.value() : RequestId{};
    lease.next_action = now + options_.renew_retry / 4;
}

Instant LeaseHolder::deadline_of(const HeldLease& lease) const {
    switch (lease.phase) {
        case HolderPhase::wanted: return lease.next_action;
        case HolderPhase::releasing:
            return lease.request != RequestId{} ? lease.valid_until : std::min(lease.valid_until, lease.next_action);
        case HolderPhase::holding: break;
        default: return kNever;
    }
    Instant deadline = lease.valid_until + microseconds{1};
    if (lease.state == LeaseState::held) deadline = earlier(deadline, jeopardy_at(lease));
    return earlier(deadline, lease.renewal != 0 ? lease.next_action : lease.valid_from + from_us(lease.ttl_us / 3));
}

Instant LeaseHolder::next_deadline() const {
    Instant deadline = kNever;
    for (const HeldLease& lease : leases_) deadline = earlier(deadline, deadline_of(lease));
    return deadline;
}

void LeaseHolder::on_timeout(Instant now) {
    take_results(now);
    for (HeldLease& lease : leases_) advance(now, lease);
}

void LeaseHolder::tell(EventKind kind, const HeldLease& lease) {
    Event event{};
    event.kind = kind;
    event.slot = static_cast<std::uint16_t>(&lease - leases_.data());
    event.value = lease.token;
    events_->push(event);
}

// ---- Writing --------------------------------------------------------------------------------------------------------

bool LeaseHolder::wants_to_send(NodeId to) const {
    return to != NodeId{} && to == client_->target() &&
           std::ranges::any_of(leases_, [](const HeldLease& lease) { return lease.renewal_owed; });
}

void LeaseHolder::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    if (to != client_->target()) return;
    for (HeldLease& lease : leases_) {
        if (!lease.renewal_owed) continue;
        const wire::Renew renew(lease.renewal, lease.token, lease.slot, 0, 0);
        if (!writer.record(wire::RecordType::renew, renew)) return;
        lease.renewal_owed = false;
        if (lease.renewal_first_sent == kNever) lease.renewal_first_sent = now;
        ask_from_now(now, lease, to);
        lease.next_action = now + renew_retry_of(lease);
    }
}

}  // namespace dunlin::ledger
