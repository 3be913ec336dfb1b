#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/link/delivery_rate.hpp>

#include <algorithm>

namespace dunlin::link {

void DeliveryRate::reset() { *this = {}; }

void DeliveryRate::on_acked(Instant now, std::uint32_t number_low, std::uint32_t bytes, std::uint32_t next_low, Duration unqueued) {
    DUNLIN_ASSERT(unqueued > Duration{0});
    delivered_ += bytes;
    if (comes_before(number_low, round_end_low_)) return;
    const auto now_us_low = static_cast<std::uint32_t>(to_us(now.time_since_epoch()));
    const auto least = static_cast<std::uint64_t>(to_us(unqueued));
    const std::uint64_t length = std::max<std::uint64_t>(now_us_low - began_us_low_, least);
    const auto sample = static_cast<std::uint32_t>(divide(delivered_ * least, length).quotient);
    if (round_end_low_ != 0) {
        DUNLIN_ASSERT(sample < 1U << 31U);  // CongestionWindow::kWindowMax bounds what is in flight; the mask tells the compiler
        const std::uint32_t before = estimate_;
        estimate_ = std::max(sample, before - before / 4) & 0x7fff'ffffU;
        queued_ = length > least;
    }
    delivered_ = 0;
    round_end_low_ = next_low;
    began_us_low_ = now_us_low;
}

}  // namespace dunlin::link
