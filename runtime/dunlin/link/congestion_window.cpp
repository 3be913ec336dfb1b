#include <dunlin/core/assert.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/link/congestion_window.hpp>
#include <dunlin/link/sent_packet.hpp>

#include <algorithm>

namespace dunlin::link {

void CongestionWindow::reset(std::uint32_t packet_bytes) {
    DUNLIN_ASSERT(packet_bytes > 0 && packet_bytes < 0xffff);
    packet_bytes_ = static_cast<std::uint16_t>(padded_to<SentPacket::kBytesUnit>(packet_bytes));
    window_ = std::min(kInitialPackets * packet_bytes_, std::max(kMinimumPackets * packet_bytes_, kInitialBytesMax));
    threshold_ = kWindowMax;
    in_flight_ = acked_ = 0;
    halved_ = shrinking_ = false;
    recovery_end_low_ = filled_low_ = 0;  // numbers start at 1
}

void CongestionWindow::set_packet_bytes(std::uint32_t packet_bytes) {
    DUNLIN_ASSERT(packet_bytes > 0 && packet_bytes < 0xffff);
    packet_bytes_ = static_cast<std::uint16_t>(padded_to<SentPacket::kBytesUnit>(packet_bytes));
    window_ = std::max(window_, kMinimumPackets * packet_bytes_);
}

void CongestionWindow::on_discarded(std::uint32_t bytes) {
    DUNLIN_ASSERT(in_flight_ >= bytes);
    in_flight_ -= bytes;
}

void CongestionWindow::on_sent(std::uint32_t number_low, std::uint32_t bytes, std::uint8_t reserve) {
    in_flight_ += bytes;
    if (!fits(reserve)) filled_low_ = number_low;
    // Low halves are comparable within 2^31 only: marks that were passed long ago follow.
    const std::uint32_t long_ago = number_low - (1U << 30U);
    if (comes_before(filled_low_, long_ago)) filled_low_ = long_ago;
    if (comes_before(recovery_end_low_, long_ago)) recovery_end_low_ = long_ago;
}

void CongestionWindow::on_acked(std::uint32_t number_low, std::uint32_t bytes) {
    DUNLIN_ASSERT(in_flight_ >= bytes);
    in_flight_ -= bytes;
    const bool in_recovery = halved_ && comes_before(number_low, recovery_end_low_);
    const bool unused = comes_before(filled_low_, number_low);
    if (in_recovery || unused || window_ >= kWindowMax) return;
    if (in_slow_start()) {
        window_ += bytes;
        return;
    }
    acked_ += bytes;
    if (acked_ < window_) return;
    acked_ -= window_;
    window_ += packet_bytes_;
}

bool CongestionWindow::on_lost(std::uint32_t number_low, std::uint32_t bytes, std::uint32_t next_low, const Carried& carried) {
    DUNLIN_ASSERT(in_flight_ >= bytes);
    in_flight_ -= bytes;
    const bool first = !comes_before(number_low, recovery_end_low_);
    if (first) enter_recovery(next_low, carried);
    if (shrinking_) window_ = std::max(window_ - std::min(window_, bytes), threshold_);
    return first;
}

void CongestionWindow::enter_recovery(std::uint32_t next_low, const Carried& carried) {
    const std::uint32_t least = std::max(window_ / 2, kMinimumPackets * packet_bytes_);
    recovery_end_low_ = next_low;
    acked_ = 0;
    halved_ = carried.bytes <= window_ / 2;
    shrinking_ = !halved_ && !carried.queued;
    threshold_ = least;
    if (!shrinking_) window_ = threshold_ = std::max(least, std::min(carried.bytes, window_));
}

void CongestionWindow::on_persistent_congestion() {
    shrinking_ = false;
    window_ = kMinimumPackets * packet_bytes_;
    acked_ = 0;
}

}  // namespace dunlin::link
