#include <dunlin/core/assert.hpp>
#include <dunlin/link/ack_tracker.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>

namespace dunlin::link {

AckTracker::AckTracker(std::span<NumberRange> ranges) : ranges_(ranges.data()), capacity_(static_cast<std::uint8_t>(ranges.size())) {
    DUNLIN_ASSERT(!ranges.empty() && ranges.size() <= 255);
}

void AckTracker::reset() {
    largest_ = {};
    floor_ = {};
    largest_at_ = {};
    due_ = kNever;
    used_ = 0;
    eliciting_ = repeats_ = 0;
}

bool AckTracker::is_duplicate(PacketNumber number) const {
    if (number <= floor_) return true;
    if (number > largest_) return false;
    // Ranges reach no further below largest_ than the packets that can be outstanding.
    if (largest_.value() - number.value() > 0x7fff'ffffU) return true;
    const std::uint32_t depth = below_largest(static_cast<std::uint32_t>(number.value()));
    for (std::size_t i = 0; i < used_; ++i) {
        if (depth < below_largest(ranges_[i].last_low)) return false;
        if (depth <= below_largest(ranges_[i].first_low)) return true;
    }
    return false;
}

void AckTracker::on_received(Instant now, PacketNumber number, bool ack_eliciting) {
    const bool gap = number.value() != largest_.value() + 1;
    if (gap) repeats_ = kRepeatsPerGap;
    if (number > largest_) {
        largest_ = number;
        largest_at_ = now;
    }
    insert(static_cast<std::uint32_t>(number.value()));
    if (!ack_eliciting) return;
    if (eliciting_ < 0xff) ++eliciting_;
    if (gap || eliciting_ >= kPacketsPerAck) {
        ack_at_once();
    } else if (due_ == kNever) {
        due_ = now + kDelayMax;
    }
}

void AckTracker::remove(std::size_t index) {
    std::copy(ranges_ + index + 1, ranges_ + used_, ranges_ + index);
    --used_;
}

// Puts a number that is in no range into the range next to it, joining two where it closes the gap, or into a new one.
void AckTracker::insert(std::uint32_t low) {
    const std::uint32_t depth = below_largest(low);
    std::size_t i = 0;
    while (i < used_ && below_largest(ranges_[i].last_low) < depth) {
        if (ranges_[i].first_low == low + 1) {
            ranges_[i].first_low = low;
            if (i + 1U < used_ && ranges_[i + 1].last_low == low - 1) {
                ranges_[i].first_low = ranges_[i + 1].first_low;
                remove(i + 1);
            }
            return;
        }
        ++i;
    }
    if (i < used_ && ranges_[i].last_low == low - 1) {
        ranges_[i].last_low = low;
        return;
    }
    if (used_ == capacity_) {
        // The lowest range is forgotten: everything up to it counts as seen.
        const NumberRange& lowest = i == used_ ? NumberRange{low, low} : ranges_[used_ - 1U];
        floor_ = std::max(floor_, PacketNumber{largest_.value() - below_largest(lowest.last_low)});
        if (i == used_) return;
        --used_;
    }
    std::copy_backward(ranges_ + i, ranges_ + used_, ranges_ + used_ + 1);
    ranges_[i] = {low, low};
    ++used_;
}

bool AckTracker::write(Instant now, wire::PacketWriter& writer) {
    DUNLIN_ASSERT(any());
    const std::size_t room = writer.room();
    if (room < sizeof(wire::Ack)) return false;
    const std::size_t extra = std::min<std::size_t>(used_ - 1U, (room - sizeof(wire::Ack)) / sizeof(wire::AckRange));
    const auto delay = static_cast<std::uint32_t>(std::clamp<std::int64_t>(to_us(now - largest_at_), 0, 0xffff'ffff));
    const wire::Ack ack(largest_.value(), ranges_[0].last_low - ranges_[0].first_low + 1, delay, static_cast<std::uint16_t>(extra), 0, 0);
    if (!writer.begin(wire::RecordType::ack, ack)) return false;
    for (std::size_t i = 1; i <= extra; ++i) {
        const wire::AckRange range(ranges_[i - 1].first_low - ranges_[i].last_low - 1, ranges_[i].last_low - ranges_[i].first_low + 1);
        const bool fits = writer.append(bytes_of(range));
        DUNLIN_ASSERT(fits);
    }
    writer.end();
    const bool repeat = repeats_ > 0 && eliciting_ >= kPacketsPerAck;
    if (repeat) --repeats_;
    due_ = repeat ? Instant::min() : kNever;
    eliciting_ = 0;
    return true;
}

void AckTracker::on_ack_acked(std::uint32_t largest_low) {
    if (used_ == 0) return;
    const std::uint32_t depth = below_largest(largest_low);
    while (used_ > 1 && below_largest(ranges_[used_ - 1U].last_low) >= depth) --used_;
    floor_ = std::max(floor_, PacketNumber{largest_.value() - below_largest(ranges_[used_ - 1U].first_low) - 1});
}

}  // namespace dunlin::link
