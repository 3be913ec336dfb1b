#pragma once

#include <dunlin/core/time.hpp>
#include <dunlin/wire/wire.hpp>

#include <cstddef>
#include <cstdint>

namespace dunlin::link {

// How long whole packets of one session are: path MTU discovery by packets of the sender alone (DPLPMTUD, RFC 8899). They start
// at 1200 bytes, or at the session's bound where that is less. Longer ones are tried out by probes, which carry nothing but
// padding: a probe that arrives raises the size, three that do not are a sign that the path is too narrow, and the next one aims half-way.
// A probe's loss is no sign of congestion (RFC 8899 §3, RFC 9002 §14). After ten minutes it is tried again.
//
// Where packets of the size vanish in a row while shorter ones arrive, the path has become a black hole for them (§4.4): back
// to 1200 bytes, and from there to what everything fits. Half a minute later longer ones are tried again.
//
// Sizes are kept in units of 8 bytes, as SentPacket counts them; moments in 16 bits of 2^16 us. O(1), 8 bytes.
//
// Invariant: floor <= size() <= bound.
class PacketSize {
  public:
    static constexpr std::uint16_t kBase = 1200;   // RFC 8899 §5.1.2, BASE_PLPMTU of RFC 9000
    static constexpr std::uint8_t kProbesMax = 3;  // RFC 8899 §5.1.2
    static constexpr std::uint16_t kNear = 32;     // bytes: what lies nearer is not worth a probe
    static constexpr std::uint8_t kBlackHoleLosses = 8;
    static constexpr Duration kBetweenProbes = seconds{1};     // after one that was lost
    static constexpr Duration kFirstProbe = milliseconds{20};  // after the session opened
    static constexpr Duration kAfterLowering = seconds{30};
    static constexpr Duration kRaiseInterval = std::chrono::minutes{10};  // RFC 8899 §5.1.1, PMTU_RAISE_TIMER

    enum class Change : std::uint8_t { none, raised, lowered };

    // A new session, whose packets are of at most `bound` bytes, and of at least `floor` or `bound`: shorter ones do not carry all
    // that may have to be sent.
    void reset(Instant now, std::uint16_t bound, std::uint16_t floor);
    [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(size_ * kUnit); }
    // What passes where packets of size() do not, as far as anybody knows.
    [[nodiscard]] std::uint16_t safe_size() const {
        return static_cast<std::uint16_t>(size_ > kBase / kUnit ? std::uint16_t{kBase} : floor_ * kUnit);
    }

    // A packet that some path may not carry elicits an ack whatever is in it: or nobody would learn that such packets vanish where,
    // as in a snapshot, all of them are of records that need none.
    [[nodiscard]] static constexpr bool elicits_ack(std::size_t packet_bytes) { return packet_bytes > wire::kPacketBytesMin; }

    // A probe is to be sent, of so many bytes: a packet of its own.
    [[nodiscard]] bool probe_owed() const { return owed_; }
    [[nodiscard]] std::uint16_t probe_bytes() const { return static_cast<std::uint16_t>(probe_ * kUnit); }
    void on_probe_sent() { owed_ = false; }
    // What became of a packet that asked for an ack, of `bytes` as SentPacket counts them; `probe`: that on_probe_sent() was told of.
    Change on_acked(Instant now, std::uint32_t bytes, bool probe);
    Change on_lost(Instant now, std::uint32_t bytes, bool probe);

    // `near`: within half an hour of now.
    [[nodiscard]] Instant next_deadline(Instant near) const;
    void on_timeout(Instant now);

  private:
    static constexpr std::uint16_t kUnit = 8;
    void wait(Instant now, Duration pause);
    [[nodiscard]] std::uint8_t next_probe() const;
    void go_on(Instant now, Duration pause);
    Change lower(Instant now);

    std::uint8_t size_ = 0;        // units
    std::uint8_t bound_ = 0;       // units
    std::uint8_t floor_ = 0;       // units
    std::uint8_t ceiling_ = 0;     // units: longer ones are known not to pass
    std::uint8_t probe_ = 0;       // units; 0: none is owed or under way
    std::uint8_t failed_ : 2 = 0;  // probes of this size
    bool owed_ : 1 = false;
    bool shorter_passed_ : 1 = false;  // a packet of at most safe_size() since the last longer one
    std::uint8_t lost_ : 4 = 0;        // packets longer than safe_size() in a row
    std::uint16_t next_low_ = 0;       // when to probe next, in units of 2^16 us; where no probe is owed or under way
};
static_assert(sizeof(PacketSize) == 8);

}  // namespace dunlin::link
