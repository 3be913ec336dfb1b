#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/link/lane_scheduler.hpp>

#include <cstddef>
#include <cstdint>

namespace dunlin::link {

// How much of one peer's messages a node takes at a time, of all lanes together: that were sent in this session, are not known to be
// lost, and are not settled. Stated in hellos and settlements, each of which replaces the one before (docs/decisions/0014).
//
// It is no promise of room: what every peer might hold at once is more than there is, since most of them are silent. What is sent
// within it and finds no room all the same is not acknowledged, and comes again.
struct Credit {
    static constexpr std::size_t kUnitBytes = 64;
    static constexpr std::uint16_t kUnlimited = 0xffff;
    std::uint16_t messages = 0;  // 0: none is stated
    std::uint16_t units = 0;     // of kUnitBytes, in which each message's body is rounded up

    [[nodiscard]] static constexpr std::uint32_t units_of(std::size_t body_bytes) {
        return static_cast<std::uint32_t>(body_bytes == 0 ? 1 : (body_bytes + kUnitBytes - 1) / kUnitBytes);
    }
    // By more than a quarter, in messages or in bytes: that is worth a packet of its own.
    [[nodiscard]] constexpr bool much_more_than(const Credit& told) const {
        return messages > told.messages + told.messages / 4U || units > told.units + told.units / 4U;
    }
    [[nodiscard]] constexpr bool less_than(const Credit& told) const { return messages < told.messages || units < told.units; }
};

// A publisher's account of its peer's credit. A lane leaves a part of it to those above it, as of all else that they share, and all of
// it while one of them waits for credit. O(1).
class CreditAccount {
  public:
    explicit CreditAccount(std::size_t lanes);  // 1..3
    void start(Credit stated);                  // a new session: nothing is under way. Not stated: unlimited
    // In packet `number` of the session. Not stated, or in an older packet than the last statement: as it was.
    void state(Credit stated, PacketNumber number);
    // Some is left. The last message may take more than that, or a long one might wait for ever behind one that is pending.
    [[nodiscard]] bool allows(Lane lane) const;
    [[nodiscard]] bool covers(std::uint32_t units) const;  // as much is left
    [[nodiscard]] bool yields(Lane lane) const;            // one above it waits for credit
    // A cheaper question, which the data path asks first. True: a message of `units` is covered and every lane is allowed, since half
    // of the credit stays free and no lane must leave more than a quarter (LaneScheduler::leaves_room). False says nothing.
    [[nodiscard]] bool ample(std::uint32_t units) const {
        return waiting_.empty() && 2U * (messages_ + 1U) <= limit_.messages && 2U * (units_ + units) <= limit_.units;
    }
    // Whether the lane has something to send, and no credit: as of when it was last asked.
    void waits(Lane lane, bool waiting) { waiting_.set(lane, waiting); }
    // Less is never stated: there may be no room at all.
    [[nodiscard]] bool least() const { return limit_.messages == 1 || limit_.units == 1; }
    // A message is under way (asserted: fewer than 65,535 are). The oldest of a lane may be though it is not allowed.
    void take(std::uint32_t units);
    void give_back(std::uint32_t units);
    [[nodiscard]] bool untouched() const { return messages_ == 0 && units_ == 0; }  // nothing is under way

  private:
    PacketNumber stated_in_{};
    std::uint32_t units_ = 0;
    std::uint16_t messages_ = 0;
    Credit limit_{Credit::kUnlimited, Credit::kUnlimited};
    std::uint8_t lanes_;
    LaneSet waiting_;
};

}  // namespace dunlin::link
