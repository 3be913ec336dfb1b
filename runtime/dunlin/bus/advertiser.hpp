#pragma once

#include <dunlin/bus/subscriptions.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstdint>
#include <span>

namespace dunlin::bus {

// What the bus keeps about one peer, by PeerIndex. Generations are those of one session.
struct BusPeer {
    Instant retry = kNever;    // when the batch under way is sent again; kNever: none is
    Instant stalled = kNever;  // records of this instant are not taken: the journal had no room for one
    BootEpoch epoch{};
    std::uint32_t acked = 0;                // the peer knows this node's table up to here
    std::uint32_t mark = 0;                 // generation of the end mark of this session
    std::uint32_t seen = 0;                 // this node knows the peer's table up to here
    std::uint16_t refused_before_mark = 0;  // the peer's subscriptions for which there was no room here
    std::uint16_t refused_since_mark = 0;
    NodeId node{};  // 0: the slot is free
    std::uint8_t attempts = 0;
    bool open : 1 = false;
    bool owes_ack : 1 = false;
};

// Tells each peer with an open session what this node listens to. One batch at a time, in one packet: the rows after
// the acknowledged generation, lowest first; and, in its place among them, an end mark (unsubscribe of subscription 0),
// which says that what was not told in this session before it does not exist. A batch starts where the peer's knowledge
// ends, so its highest generation acknowledges everything before it, and a late copy of an older batch is not above what
// was seen, and changes nothing. Retries have exponential backoff with jitter. A peer without room for some of the
// subscriptions is told the whole table again, at growing intervals.
class Advertiser {
  public:
    Advertiser(std::span<BusPeer> peers, LocalSubscriptions& subscriptions, Random& random);

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

    std::span<BusPeer> peers_;
    LocalSubscriptions* subscriptions_;
    Random* random_;
    Instant tell_again_ = kNever;
    std::uint8_t tell_again_attempts_ = 0;
};

}  // namespace dunlin::bus
