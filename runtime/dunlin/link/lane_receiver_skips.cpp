// The part of LaneReceiver that hears what its publisher has given up.
#include <dunlin/core/assert.hpp>
#include <dunlin/link/lane_receiver.hpp>

#include <algorithm>

namespace dunlin::link {

// What a skip speaks of: [first, end), and of which of these the publisher wants to know the outcome.
struct LaneReceiver::SkipSpan {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::uint32_t each = 1;
    bool answer = false;

    // The first of a message's sequences bears its outcome.
    [[nodiscard]] bool asks(std::uint64_t value) const { return answer && static_cast<std::uint32_t>(value - first) % each == 0; }
    // The next that it asks for, after `value`, or the end.
    [[nodiscard]] std::uint64_t next_asked(std::uint64_t value) const {
        return answer ? std::min(end, value + each - static_cast<std::uint32_t>(value - first) % each) : end;
    }
    [[nodiscard]] Ending unseen(std::uint64_t value) const {
        return asks(value) ? Ending{Outcome::skipped, Effect::none} : Ending{Outcome::acknowledged, Effect::none};
    }
};

bool LaneReceiver::on_skip(Instant now, const wire::Record& record) {
    const auto skip = record.as<wire::Skip>();
    if (skip.lane() != index_of(book_.lane()) || skip.first() == 0 || skip.count() == 0 || skip.count() > kWindowMax ||
        skip.first() > contiguous_.value() + kWindowMax) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    shared_->counters.add(Counter::skips_received);
    const bool taken = skip_all({.first = skip.first(),
                                 .end = skip.first() + skip.count(),
                                 .each = std::max<std::uint32_t>(skip.each(), 1),
                                 .answer = (skip.flags() & static_cast<std::uint8_t>(wire::SkipFlag::answer)) != 0});
    close_gap();
    pump(now);
    book_.owe();
    return taken;
}

// False: no room to remember it all. However many sequences a peer names, a step ends a message of the inbox, takes a slot of it,
// passes a place of the window, or is a long one between two of these.
bool LaneReceiver::skip_all(const SkipSpan& skip) {
    const Inbox& inbox = shared_->inbox;
    const std::size_t steps_max = 4 * (inbox.capacity() + book_.live().window());
    std::uint64_t next = std::max(skip.first, book_.live().cumulative().value() + 1);
    std::uint16_t waiting = head_;  // the first that ends at `next` or after
    for (std::size_t steps = 0; next < skip.end; ++steps) {
        DUNLIN_ASSERT(steps < steps_max);
        while (waiting != kNoSlot && last_of(waiting) < Sequence{next}) waiting = inbox[waiting].next;
        if (waiting != kNoSlot && sequence_of(waiting) <= Sequence{next}) {
            skip_waiting(waiting, skip.unseen(next));
            next = last_of(waiting).value() + 1;
            continue;
        }
        const std::uint64_t gap_end = waiting == kNoSlot ? skip.end : std::min(skip.end, sequence_of(waiting).value());
        const std::uint64_t passed = skip_unseen(skip, next, gap_end, waiting);
        if (passed == next) return false;
        next = passed;
    }
    return true;
}

// A handler that has it, or had its say, decides its outcome.
void LaneReceiver::skip_waiting(std::uint16_t slot, Ending unseen) {
    const InboxSlot& held = shared_->inbox[slot];
    if (held.state != WaitState::pending && held.state != WaitState::decided) {
        const bool seen = unseen.outcome != Outcome::acknowledged && held.attempts > 0;
        decide(slot, seen ? Ending{Outcome::expired, Effect::unknown} : unseen);
    }
    if (sequence_of(slot) == contiguous_.next()) contiguous_ = last_of(slot);
}

// As many of [next, end) as go in one step; none of them is in the inbox, where they come before `before`. Returns the next one; the
// same: no room to remember it.
std::uint64_t LaneReceiver::skip_unseen(const SkipSpan& skip, std::uint64_t next, std::uint64_t end, std::uint16_t before) {
    const SettledSet& settled = book_.live();
    const Sequence sequence{next};
    if (sequence <= contiguous_) return std::min(end, contiguous_.value() + 1);
    const bool in_order = sequence == contiguous_.next();
    if (settled.contains(sequence)) {
        if (in_order) contiguous_ = sequence;
        return next + 1;
    }
    if (in_order && contiguous_ == settled.cumulative() && !skip.asks(next)) {
        const std::uint64_t unasked_end = std::min(end, skip.next_asked(next));
        book_.settle_up_to(Sequence{unasked_end - 1});
        contiguous_ = settled.cumulative();
        return unasked_end;
    }
    return settle_unseen(sequence, skip.unseen(next), before) ? next + 1 : next;
}

// Settles what no handler gets, or keeps its outcome until it can; false: no room to remember it.
bool LaneReceiver::settle_unseen(Sequence sequence, Ending ending, std::uint16_t before) {
    const bool in_order = sequence == contiguous_.next();
    if (in_order && may_settle(sequence, ending.outcome)) {
        book_.settle(sequence, ending.outcome, ending.effect);
    } else {
        const std::uint16_t slot = shared_->inbox.put_empty(share_);
        if (slot == kNoSlot) return false;
        insert(slot, sequence, before);
        decide(slot, ending);
    }
    if (in_order) contiguous_ = sequence;
    return true;
}

}  // namespace dunlin::link
