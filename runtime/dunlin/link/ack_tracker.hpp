#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// Packet numbers [first, last], as low halves.
struct NumberRange {
    std::uint32_t first_low = 0;
    std::uint32_t last_low = 0;
};

// Which packets of the peer were received and are to be acknowledged (RFC 9000 §13.2): ranges, largest first. When there
// are more ranges than room the lowest are forgotten, and whatever is older than the oldest range kept counts as a
// duplicate: its sender sends the content again under another number. An ack leaves after 2 packets that ask for one,
// 5 ms after the first, or at once when a number is missing. Packets that came together share one, which stands for all acks that
// they would have got apart; where packets went missing it may get lost as well, and its sender would wait for a timeout: it
// leaves twice, as do some that follow.
class AckTracker {
  public:
    static constexpr Duration kDelayMax = milliseconds{5};
    static constexpr std::uint8_t kPacketsPerAck = 2;
    static constexpr std::uint8_t kRepeatsPerGap = 16;

    explicit AckTracker(std::span<NumberRange> ranges);          // 1..255
    void reset();                                                // a new session
    [[nodiscard]] bool is_duplicate(PacketNumber number) const;  // O(ranges)
    // A packet that is not a duplicate and was taken as a whole. O(ranges).
    void on_received(Instant now, PacketNumber number, bool ack_eliciting);
    void ack_at_once() { due_ = Instant::min(); }
    [[nodiscard]] Instant due() const { return due_; }  // kNever: none owed
    [[nodiscard]] bool any() const { return used_ > 0; }
    [[nodiscard]] PacketNumber largest() const { return largest_; }
    // Writes an ack with as many ranges as fit; false: no room for one. Ends what is owed, but for a repetition.
    [[nodiscard]] bool write(Instant now, wire::PacketWriter& writer);
    // An ack that said `largest` arrived: older ranges need no repetition (RFC 9000 §13.2.4).
    void on_ack_acked(std::uint32_t largest_low);

  private:
    [[nodiscard]] std::uint32_t below_largest(std::uint32_t low) const { return static_cast<std::uint32_t>(largest_.value()) - low; }
    void insert(std::uint32_t low);
    void remove(std::size_t index);

    PacketNumber largest_{};
    PacketNumber floor_{};  // numbers up to it count as duplicates
    Instant largest_at_{};
    Instant due_ = kNever;
    NumberRange* ranges_;  // [0] ends with largest_; descending, never adjacent
    std::uint8_t capacity_;
    std::uint8_t used_ = 0;
    std::uint8_t eliciting_ = 0;  // since the last ack
    std::uint8_t repeats_ = 0;    // so many acks may still leave twice
};

}  // namespace dunlin::link
