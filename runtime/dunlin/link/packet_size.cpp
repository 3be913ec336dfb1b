#include <dunlin/core/assert.hpp>
#include <dunlin/link/packet_size.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

constexpr int kMomentShift = 16;

std::uint64_t moment(Instant at) { return static_cast<std::uint64_t>(to_us(at.time_since_epoch())) >> kMomentShift; }

// What seems to lie further ahead is past: half of the way round, 36 minutes.
constexpr std::uint16_t kLongestWait = 0x7fff;
static_assert((to_us(2 * PacketSize::kRaiseInterval) >> kMomentShift) < kLongestWait);

}  // namespace

void PacketSize::reset(Instant now, std::uint16_t bound, std::uint16_t floor) {
    *this = {};
    bound_ = static_cast<std::uint8_t>(bound / kUnit);
    size_ = std::min<std::uint8_t>(bound_, kBase / kUnit);
    floor_ = std::min(size_, static_cast<std::uint8_t>(floor / kUnit));
    ceiling_ = bound_;
    DUNLIN_ASSERT(floor_ > 0 && floor <= kBase);
    wait(now, kFirstProbe);
}

void PacketSize::wait(Instant now, Duration pause) {
    next_low_ = static_cast<std::uint16_t>(moment(now) + (static_cast<std::uint64_t>(to_us(pause)) >> kMomentShift) + 1);
}

// What to try next; 0: nothing longer is worth it. All the way up first: most paths carry it.
std::uint8_t PacketSize::next_probe() const {
    const auto ceiling = size_ < kBase / kUnit ? std::min<std::uint8_t>(ceiling_, kBase / kUnit) : ceiling_;
    if (ceiling < size_ + kNear / kUnit) return ceiling == bound_ && ceiling > size_ ? ceiling : std::uint8_t{0};
    const bool untried = ceiling == bound_ || ceiling == kBase / kUnit;
    return untried ? ceiling : static_cast<std::uint8_t>((size_ + ceiling + 1) / 2);
}

// The next probe after `pause`, or after ten minutes a new search.
void PacketSize::go_on(Instant now, Duration pause) {
    probe_ = 0;
    if (next_probe() != 0) return wait(now, pause);
    ceiling_ = bound_;
    wait(now, kRaiseInterval);
}

PacketSize::Change PacketSize::on_acked(Instant now, std::uint32_t bytes, bool probe) {
    if (bytes <= safe_size()) {
        shorter_passed_ = true;
    } else {
        lost_ = 0;
        shorter_passed_ = false;
    }
    if (!probe || bytes != probe_bytes() || owed_) return Change::none;
    size_ = probe_;
    failed_ = 0;
    go_on(now, Duration{0});
    return Change::raised;
}

PacketSize::Change PacketSize::on_lost(Instant now, std::uint32_t bytes, bool probe) {
    if (probe) {
        if (bytes != probe_bytes() || owed_) return Change::none;
        if (++failed_ == kProbesMax) {
            failed_ = 0;
            ceiling_ = static_cast<std::uint8_t>(probe_ - 1);
        }
        go_on(now, kBetweenProbes);
        return Change::none;
    }
    // Longer ones than today's were sent before it was lowered.
    if (size_ == floor_ || bytes <= safe_size() || bytes > size()) return Change::none;
    if (lost_ < kBlackHoleLosses) ++lost_;
    return lost_ == kBlackHoleLosses && shorter_passed_ ? lower(now) : Change::none;
}

PacketSize::Change PacketSize::lower(Instant now) {
    const std::uint16_t before = size();
    size_ = static_cast<std::uint8_t>(safe_size() / kUnit);
    DUNLIN_ASSERT(size() < before);
    ceiling_ = bound_;
    probe_ = 0;
    failed_ = 0;
    lost_ = 0;
    owed_ = shorter_passed_ = false;
    wait(now, kAfterLowering);
    return Change::lowered;
}

Instant PacketSize::next_deadline(Instant near) const {
    if (probe_ != 0 || next_probe() == 0) return kNever;
    const std::uint64_t here = moment(near);
    const auto left = static_cast<std::uint16_t>(next_low_ - here);
    return left == 0 || left > kLongestWait ? near : Instant{from_us(static_cast<std::int64_t>((here + left) << kMomentShift))};
}

void PacketSize::on_timeout(Instant now) {
    if (now < next_deadline(now)) return;
    probe_ = next_probe();
    owed_ = true;
}

}  // namespace dunlin::link
