#pragma once

#include <dunlin/bus/bus_shared.hpp>
#include <dunlin/bus/subscriptions.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstdint>

namespace dunlin::bus {

// Tells each peer with an open session what this node listens to. One batch at a time, in one packet: the rows after
// the acknowledged generation, lowest first; and, in its place among them, an end mark (unsubscribe of subscription 0),
// which says that what was not told in this session before it does not exist. A batch starts where the peer's knowledge
// ends, so its highest generation acknowledges everything before it, and a late copy of an older batch is not above what
// was seen, and changes nothing. Retries have exponential backoff with jitter. A peer without room for some of the
// subscriptions is told the whole table again, at growing intervals.
class Advertiser {
  public:
    // `shared` outlives it; of it, peers and random are used.
    Advertiser(const BusShared& shared, LocalSubscriptions& subscriptions);

    void session_opened(PeerIndex peer);  // the table is told from the start
    [[nodiscard]] bool wants_to_send(Instant now, PeerIndex peer) const;
    // True when part of the table was written: such a packet wants an ack (this class repeats it by itself, though).
    bool write_records(Instant now, PeerIndex peer, wire::PacketWriter& writer);
    void on_acked(Instant now, PeerIndex peer, std::uint32_t generation, std::uint32_t refused);
    [[nodiscard]] Instant next_deadline() const;  // O(peers)
    void on_timeout(Instant now);
    // The lowest generation that every open peer has acknowledged. O(peers).
    [[nodiscard]] std::uint32_t settled() const;

  private:
    [[nodiscard]] bool has_news(const BusPeer& peer) const;
    [[nodiscard]] std::uint32_t write_batch(const BusPeer& peer, wire::PacketWriter& writer) const;
    [[nodiscard]] bool write_row(const LocalSubscription& row, wire::PacketWriter& writer) const;

    const BusShared* shared_;
    LocalSubscriptions* subscriptions_;
    Instant tell_again_ = kNever;
    std::uint8_t tell_again_attempts_ = 0;
};

}  // namespace dunlin::bus
