#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/ring.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/ack_tracker.hpp>
#include <dunlin/link/congestion_window.hpp>
#include <dunlin/link/delivery_rate.hpp>
#include <dunlin/link/link_shared.hpp>
#include <dunlin/link/pacer.hpp>
#include <dunlin/link/rtt.hpp>
#include <dunlin/link/sent_packet.hpp>
#include <dunlin/wire/record.hpp>

#include <cstdint>
#include <span>

namespace dunlin::link {

// probe: content is to be sent again, the packet may still arrive; lost after that (SentPacket::probed) asks for nothing more.
enum class PacketFate : std::uint8_t { acked, lost, probe };
using FateSink = Callback<void(const SentPacket&, PacketFate)>;

// The packets of one session that ask for an ack: their numbers, and what became of them. Loss detection and probe
// timeouts of RFC 9002 §6; what is in flight is bounded by the congestion window, its pace, and the ring. Control may exceed the
// window by two packets a round trip, for which the ring holds two more than data may use; a probe goes whatever the
// window says (RFC 9002 §7.5). A round trip counts as no longer than LinkSelf::idle_timeout: what took longer is a stopped
// process or a suspended machine, after which the path is as it was.
class PacketSpace {
  public:
    static constexpr std::uint32_t kPacketThreshold = 3;
    static constexpr Duration kProbeTimeoutMax = seconds{1};
    static constexpr std::int64_t kPersistentTimeouts = 3;  // RFC 9002 §7.6.1
    static constexpr std::uint8_t kDoubtfulTimeouts = 2;
    static constexpr std::size_t kControlReserve = 2;

    PacketSpace(std::span<SentPacket> ring, const LinkShared& shared);
    // A new session, whose packets are of at most `packet_bytes`; the RTT is kept as a first guess, and
    // numbers go on until start_numbers().
    void reset(std::uint16_t packet_bytes);
    void start_numbers() { next_ = PacketNumber{1}; }

    // Whole packets are of at most so many bytes from now on.
    void set_packet_bytes(std::uint16_t packet_bytes) { congestion_.set_packet_bytes(packet_bytes); }

    [[nodiscard]] PacketNumber next_number() const { return next_; }
    PacketNumber take_number();  // of a packet that leaves now
    // A packet of messages that leaves room for `reserve` more may leave at data_ready_at(): Instant::min() for at once, also once
    // on_timeout() has met the moment; kNever where acks have to come first.
    [[nodiscard]] Instant data_ready_at(std::uint8_t reserve = 0) const;
    [[nodiscard]] bool control_fits() const {
        return !ring_full() && (congestion_.fits() || beyond_window_ < kControlReserve || probe_owed());
    }
    // A packet that asks for an ack only since it is long may be remembered: it leaves half of the ring, and of the window room
    // for two more, to messages and to control. Some of such packets are enough to learn whether they arrive.
    [[nodiscard]] bool sample_fits() const { return 2 * ring_.size() < ring_.capacity() && congestion_.fits(kControlReserve); }
    // Remembers an ack-eliciting packet of `bytes` that leaves now; `reserve` as of data_ready_at(). control_fits().
    void on_sent(Instant now, PacketNumber number, std::size_t bytes, SentPacket packet, std::uint8_t reserve = 0);
    // False: malformed, or it acknowledges what was never sent (counted); nothing else happened.
    bool on_ack(Instant now, const wire::Record& record, FateSink fate);

    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now, FateSink fate);
    // Probes that must leave even with nothing to say (a ping).
    [[nodiscard]] bool probe_owed() const { return probes_owed_ > 0; }
    // Some of these in a row brought no answer: it may be packets of this size that do not arrive.
    [[nodiscard]] bool size_in_doubt() const { return probe_owed() && probe_count_ >= kDoubtfulTimeouts; }
    // The peer is heard making progress: the probe timeout starts over.
    void on_progress() { probe_count_ = 0; }
    [[nodiscard]] const RttEstimator& rtt() const { return rtt_; }
    [[nodiscard]] std::uint16_t in_flight() const { return in_flight_; }
    [[nodiscard]] const CongestionWindow& congestion() const { return congestion_; }
    [[nodiscard]] std::uint32_t lost() const { return lost_; }

  private:
    [[nodiscard]] bool ring_full() const { return ring_.full(); }
    [[nodiscard]] std::size_t lower_bound(std::uint32_t low) const;
    std::uint32_t acknowledge(Instant now, std::uint32_t first_low, std::uint32_t last_low, FateSink fate);
    void detect_loss(Instant now, FateSink fate);
    void lose(SentPacket& packet, FateSink fate);
    void leave_flight(SentPacket& packet);
    [[nodiscard]] Duration persistent_after() const;
    [[nodiscard]] PacingRate pacing() const { return {congestion_.window(), congestion_.packet_bytes(), rtt_.smoothed()}; }
    void pop_done();
    // A backed-off probe stays frequent enough to beat the idle timeout, but never beats the round trip itself.
    [[nodiscard]] Duration probe_timeout_max() const;

    Ring<SentPacket> ring_;  // ascending numbers
    const LinkShared* shared_;
    PacketNumber next_{1};
    Instant loss_at_ = kNever;
    Instant last_sent_{};
    RttEstimator rtt_;
    CongestionWindow congestion_;
    DeliveryRate delivery_;
    Pacer pacer_;
    std::uint32_t largest_acked_low_ = 0;
    std::uint32_t lost_ = 0;
    std::uint16_t in_flight_ = 0;     // packets
    std::uint8_t beyond_window_ = 0;  // of them
    std::uint8_t probe_count_ = 0;
    std::uint8_t probes_owed_ = 0;
    bool any_acked_ : 1 = false;
    bool judged_ : 1 = false;     // an ack was dealt with: what is lost later was mostly sent with a sample of the round trip
    bool pace_kept_ : 1 = false;  // since the last packet
};

}  // namespace dunlin::link
