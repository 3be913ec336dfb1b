#include <dunlin/membership/failure_detector.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/wire/wire.hpp>

#include <algorithm>

namespace dunlin::membership {
namespace {

constexpr std::uint32_t kIntervalMinUs = 10'000;
constexpr std::uint32_t kIntervalMaxUs = 60'000'000;  // five times it still fit 32 bits

}  // namespace

FailureDetector::FailureDetector(std::span<Watched> peers, Duration interval, Counters& counters, EventQueue& events)
    : peers_(peers), interval_(interval), counters_(counters), events_(events) {}

Duration FailureDetector::suspect_after(const Watched& peer) {
    const Duration expected = peer.arrivals.mean() + 4 * peer.arrivals.deviation();
    return std::clamp(expected, Duration{2 * peer.interval_us}, Duration{5 * peer.interval_us});
}

Duration FailureDetector::dead_after(const Watched& peer) { return suspect_after(peer) + Duration{5 * peer.interval_us}; }

void FailureDetector::set_health(Watched& peer, Health health) {
    if (peer.health == health) return;
    const Health before = peer.health;
    peer.health = health;
    Event event;
    event.node = peer.node;
    event.value = peer.epoch.value();
    switch (health) {
        case Health::alive:
            event.kind = EventKind::peer_alive;
            if (before != Health::unknown) counters_.add(Counter::peers_recovered);
            break;
        case Health::suspect:
            event.kind = EventKind::peer_suspect;
            counters_.add(Counter::peers_suspected);
            break;
        case Health::dead:
            event.kind = EventKind::peer_dead;
            counters_.add(Counter::peers_died);
            break;
        case Health::unknown: return;
    }
    events_.push(event);
}

void FailureDetector::session_opened(Instant now, PeerIndex index, NodeId node, BootEpoch epoch) {
    Watched& peer = at(index);
    const bool same_life = peer.node == node && peer.epoch == epoch;
    if (!same_life) {
        peer = Watched{};
        peer.node = node;
        peer.epoch = epoch;
        peer.interval_us = static_cast<std::uint32_t>(to_us(interval_));
        peer.arrivals.reset(interval_);
    }
    peer.sequence_heard = 0;  // both sides count anew in each session
    peer.sequence_sent = 0;
    peer.last_heard = now;
    peer.last_heartbeat = now;
    peer.next_send = now;
    set_health(peer, Health::alive);
}

void FailureDetector::session_closed(PeerIndex index) { at(index).next_send = kNever; }

void FailureDetector::forget(PeerIndex index) { at(index) = Watched{}; }

void FailureDetector::heard(Instant now, PeerIndex index) {
    Watched& peer = at(index);
    DUNLIN_ASSERT(peer.health != Health::unknown);
    peer.last_heard = now;
    set_health(peer, Health::alive);
}

void FailureDetector::on_heartbeat(Instant now, PeerIndex index, const wire::Record& record) {
    Watched& peer = at(index);
    const auto beat = record.as<wire::Heartbeat>();
    if (beat.sequence() <= peer.sequence_heard) return;
    counters_.add(Counter::heartbeats_received);
    peer.interval_us = std::clamp(beat.interval_us(), kIntervalMinUs, kIntervalMaxUs);
    if (peer.sequence_heard != 0) peer.arrivals.add(now - peer.last_heartbeat);
    peer.sequence_heard = beat.sequence();
    peer.last_heartbeat = now;
}

void FailureDetector::write_records(Instant now, PeerIndex index, wire::PacketWriter& writer) {
    Watched& peer = at(index);
    if (peer.next_send > now) return;
    const wire::Heartbeat beat(std::uint64_t{peer.sequence_sent} + 1, static_cast<std::uint32_t>(to_us(interval_)),
                               static_cast<std::uint32_t>(wire::HeartbeatFlag::ready));
    if (!writer.record(wire::RecordType::heartbeat, beat)) return;
    ++peer.sequence_sent;
    peer.next_send = now + interval_;
    counters_.add(Counter::heartbeats_sent);
}

void FailureDetector::on_timeout(Instant now) {
    for (Watched& peer : peers_) {
        if (peer.health == Health::unknown || peer.health == Health::dead) continue;
        const Duration silence = now - peer.last_heard;
        if (silence >= dead_after(peer)) {
            set_health(peer, Health::dead);
        } else if (silence >= suspect_after(peer)) {
            set_health(peer, Health::suspect);
        }
    }
}

Instant FailureDetector::next_deadline() const {
    Instant deadline = kNever;
    for (const Watched& peer : peers_) {
        deadline = earlier(deadline, peer.next_send);
        if (peer.health == Health::alive) deadline = earlier(deadline, peer.last_heard + suspect_after(peer));
        if (peer.health == Health::suspect) deadline = earlier(deadline, peer.last_heard + dead_after(peer));
    }
    return deadline;
}

}  // namespace dunlin::membership
