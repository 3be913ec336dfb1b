#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/membership/arrival_statistics.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstdint>
#include <span>

namespace dunlin::membership {

enum class Health : std::uint8_t { unknown, alive, suspect, dead };

// What one node knows of one peer's signs of life. Owned by NodeMemory, one a peer slot.
struct Watched {
    Instant last_heard{};
    Instant last_heartbeat{};
    Instant next_send = kNever;        // kNever: no session to send on
    std::uint64_t sequence_heard = 0;  // heartbeats only count upwards: an old one proves nothing
    std::uint32_t sequence_sent = 0;
    std::uint32_t interval_us = 0;  // as the peer announced it
    BootEpoch epoch{};
    ArrivalStatistics arrivals;
    NodeId node{};
    Health health = Health::unknown;
};

// Heartbeats among the peers that this node has a session with, and the verdicts alive, suspect, dead about each.
// A verdict is a hint for people and for placing work: what must be agreed on is a ledger entry.
//
// Suspicion adapts to how regularly heartbeats arrive (mean + 4 deviations, within 2 to 5 intervals of silence); death
// follows five intervals of silence later, so a crash is reported at most detection_bound() after the last packet.
// Any accepted packet counts as a sign of life, but only a packet of an open session does, so a replayed "alive"
// of an earlier life cannot revive anybody. Invariant: an event is pushed at each change of health, and only then.
class FailureDetector {
  public:
    FailureDetector(std::span<Watched> peers, Duration interval, Counters& counters, EventQueue& events);

    // Longest time from a peer's last packet to Event::peer_dead, as long as on_timeout() is called when due.
    [[nodiscard]] static constexpr Duration detection_bound(Duration interval) { return interval * 10; }

    void session_opened(Instant now, PeerIndex peer, NodeId node, BootEpoch epoch);
    void session_closed(PeerIndex peer);      // silence goes on counting
    void forget(PeerIndex peer);              // the slot is free again, or the peer said goodbye: its silence is no news
    void heard(Instant now, PeerIndex peer);  // a packet of the open session was accepted
    void on_heartbeat(Instant now, PeerIndex peer, const wire::Record& record);

    [[nodiscard]] bool wants_to_send(Instant now, PeerIndex peer) const { return at(peer).next_send <= now; }
    // Writes a heartbeat if one is due and there is room.
    void write_records(Instant now, PeerIndex peer, wire::PacketWriter& writer);

    void on_timeout(Instant now);
    [[nodiscard]] Instant next_deadline() const;  // O(peers)

    [[nodiscard]] Health health(PeerIndex peer) const { return at(peer).health; }
    [[nodiscard]] Instant last_heard(PeerIndex peer) const { return at(peer).last_heard; }

  private:
    [[nodiscard]] const Watched& at(PeerIndex peer) const { return peers_[peer.value()]; }
    [[nodiscard]] Watched& at(PeerIndex peer) { return peers_[peer.value()]; }
    [[nodiscard]] static Duration suspect_after(const Watched& peer);
    [[nodiscard]] static Duration dead_after(const Watched& peer);
    void set_health(Watched& peer, Health health);

    std::span<Watched> peers_;
    Duration interval_;
    Counters& counters_;
    EventQueue& events_;
};

}  // namespace dunlin::membership
