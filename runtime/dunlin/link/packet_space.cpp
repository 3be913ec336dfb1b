#include <dunlin/core/assert.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/link/packet_space.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

std::uint32_t low_us(Instant now) { return static_cast<std::uint32_t>(now.time_since_epoch().count()); }

// Packets stay in flight for far less than the 71 minutes that 32 bits of microseconds last.
Duration since(Instant now, std::uint32_t sent_us_low) { return Duration{low_us(now) - sent_us_low}; }

}  // namespace

void SentPacket::add_range(std::uint32_t first_low, std::uint8_t count, bool skip) {
    DUNLIN_ASSERT(!ranges_full() && count > 0);
    if (count_[0] == 0) {
        first_low_ = first_low;
        first_skip_ = skip;
        count_[0] = count;
        return;
    }
    second_below_ = comes_before(first_low, first_low_);
    const std::uint32_t distance = second_below_ ? first_low_ - first_low : first_low - first_low_;
    DUNLIN_ASSERT(distance <= 0xffff);
    distance_ = static_cast<std::uint16_t>(distance);
    second_skip_ = skip;
    count_[1] = count;
}

PacketSpace::PacketSpace(std::span<SentPacket> ring, const LinkShared& shared) : ring_(ring), shared_(&shared) {
    reset(shared.self.packet_bytes_max);
}

void PacketSpace::reset(std::uint16_t packet_bytes) {
    ring_.clear();
    loss_at_ = kNever;
    in_flight_ = 0;
    beyond_window_ = 0;
    congestion_.reset(packet_bytes);
    delivery_.reset();
    pacer_.reset(packet_bytes);
    probe_count_ = 0;
    probes_owed_ = 0;
    any_acked_ = judged_ = pace_kept_ = false;
}

PacketNumber PacketSpace::take_number() {
    const PacketNumber number = next_;
    next_ = next_.next();
    return number;
}

Instant PacketSpace::data_ready_at(std::uint8_t reserve) const {
    if (in_flight_ + kControlReserve + reserve >= ring_.capacity() || ring_full() || !congestion_.fits(reserve)) return kNever;
    if (pace_kept_) return Instant::min();
    const Duration wait = pacer_.wait(pacing());
    return wait == Duration{0} ? Instant::min() : last_sent_ + wait;
}

void PacketSpace::on_sent(Instant now, PacketNumber number, std::size_t bytes, SentPacket packet, std::uint8_t reserve) {
    packet.number_low = static_cast<std::uint32_t>(number.value());
    packet.sent_us_low = low_us(now);
    packet.set_bytes(bytes);
    packet.beyond_window = !congestion_.fits() && !probe_owed();
    if (packet.beyond_window) ++beyond_window_;
    pacer_.on_sent(now - last_sent_, packet.bytes(), pacing());
    congestion_.on_sent(packet.number_low, packet.bytes(), reserve);
    const bool pushed = ring_.push(packet);
    DUNLIN_ASSERT(pushed);
    ++in_flight_;
    last_sent_ = now;
    pace_kept_ = false;
    if (probes_owed_ > 0) --probes_owed_;
}

std::size_t PacketSpace::lower_bound(std::uint32_t low) const {
    std::size_t first = 0;
    std::size_t count = ring_.size();
    while (count > 0) {
        const std::size_t half = count / 2;
        if (comes_before(ring_[first + half].number_low, low)) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

// ---- acks -----------------------------------------------------------------------------------------------------------

namespace {

// Walks the ranges of an ack from the largest down; false where they make no sense.
template <class Visit>
bool each_range(const wire::Ack& ack, std::span<const std::byte> bytes, Visit visit) {
    std::uint64_t last = ack.largest();
    std::uint64_t length = ack.first_length();
    for (std::size_t i = 0;; ++i) {
        if (length == 0 || length > last) return false;
        visit(last - length + 1, last);
        if (i == ack.range_count()) return true;
        const auto range = wire::load<wire::AckRange>(bytes.subspan(i * sizeof(wire::AckRange)));
        const std::uint64_t below = last - length;
        if (range.gap() == 0 || range.gap() >= below) return false;
        last = below - range.gap();
        length = range.length();
    }
}

}  // namespace

bool PacketSpace::on_ack(Instant now, const wire::Record& record, FateSink fate) {
    const auto ack = record.as<wire::Ack>();
    const bool sane = ack.largest() < next_.value() && record.bytes.size() >= ack.range_count() * sizeof(wire::AckRange) &&
                      each_range(ack, record.bytes, [](std::uint64_t, std::uint64_t) {});
    if (!sane) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    const auto largest_low = static_cast<std::uint32_t>(ack.largest());
    if (const std::size_t i = lower_bound(largest_low); i < ring_.size() && ring_[i].number_low == largest_low && !ring_[i].done) {
        rtt_.add(std::min(since(now, ring_[i].sent_us_low), shared_->self.idle_timeout), Duration{ack.delay_us()});
    }
    if (!any_acked_ || comes_before(largest_acked_low_, largest_low)) largest_acked_low_ = largest_low;
    any_acked_ = true;
    std::uint32_t newly = 0;
    (void)each_range(ack, record.bytes, [&](std::uint64_t first, std::uint64_t last) {
        newly += acknowledge(now, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last), fate);
    });
    if (newly > 0) {
        probe_count_ = 0;
        probes_owed_ = 0;
    }
    detect_loss(now, fate);
    judged_ = true;
    return true;
}

std::uint32_t PacketSpace::acknowledge(Instant now, std::uint32_t first_low, std::uint32_t last_low, FateSink fate) {
    std::uint32_t newly = 0;
    if (ring_.empty() || comes_before(last_low, ring_.front().number_low)) return 0;
    const std::size_t start = comes_before(first_low, ring_.front().number_low) ? 0 : lower_bound(first_low);
    for (std::size_t i = start; i < ring_.size() && !comes_before(last_low, ring_[i].number_low); ++i) {
        SentPacket& packet = ring_[i];
        if (packet.done) continue;
        leave_flight(packet);
        congestion_.on_acked(packet.number_low, packet.bytes());
        delivery_.on_acked(now, packet.number_low, packet.bytes(), static_cast<std::uint32_t>(next_.value()), rtt_.unqueued());
        ++newly;
        shared_->counters.add(Counter::packets_acked);
        fate(packet, PacketFate::acked);
    }
    return newly;
}

// ---- loss (RFC 9002 §6.1) -------------------------------------------------------------------------------------------

void PacketSpace::detect_loss(Instant now, FateSink fate) {
    loss_at_ = kNever;
    const Duration delay = rtt_.loss_delay();
    const SentPacket* run = nullptr;  // the first of the packets in a row that are lost now
    bool persistent = false;
    for (std::size_t i = 0; i < ring_.size() && any_acked_; ++i) {
        SentPacket& packet = ring_[i];
        if (comes_before(largest_acked_low_, packet.number_low)) break;
        if (packet.done) {
            run = nullptr;
            continue;
        }
        const Duration age = since(now, packet.sent_us_low);
        if (age >= delay || largest_acked_low_ - packet.number_low >= kPacketThreshold) {
            lose(packet, fate);
            if (packet.is_size_probe()) continue;
            if (run == nullptr) run = &packet;
            persistent |= judged_ && Duration{packet.sent_us_low - run->sent_us_low} > persistent_after();
        } else {
            run = nullptr;
            loss_at_ = earlier(loss_at_, now + (delay - age));
        }
    }
    if (persistent) {
        congestion_.on_persistent_congestion();
        shared_->counters.add(Counter::congestion_persistent);
    }
    pop_done();
}

// RFC 9002 §7.6.1; not judged before there is a sample of the round trip (§7.6.2).
Duration PacketSpace::persistent_after() const { return rtt_.probe_timeout() * kPersistentTimeouts; }

void PacketSpace::leave_flight(SentPacket& packet) {
    packet.done = true;
    --in_flight_;
    if (packet.beyond_window) --beyond_window_;
    DUNLIN_ASSERT(beyond_window_ <= in_flight_);
}

void PacketSpace::lose(SentPacket& packet, FateSink fate) {
    leave_flight(packet);
    if (packet.is_size_probe()) {
        congestion_.on_discarded(packet.bytes());
        fate(packet, PacketFate::lost);
        return;
    }
    ++lost_;
    shared_->counters.add(Counter::packets_lost);
    const auto next_low = static_cast<std::uint32_t>(next_.value());
    if (congestion_.on_lost(packet.number_low, packet.bytes(), next_low, delivery_.carried())) {
        shared_->counters.add(Counter::congestion_events);
    }
    fate(packet, PacketFate::lost);
}

void PacketSpace::pop_done() {
    while (!ring_.empty() && ring_.front().done) ring_.pop();
}

// ---- timeouts (RFC 9002 §6.2) ---------------------------------------------------------------------------------------

Duration PacketSpace::probe_timeout_max() const { return kProbeTimeoutMax + std::min(rtt_.probe_timeout(), shared_->self.idle_timeout); }

Instant PacketSpace::next_deadline() const {
    if (loss_at_ != kNever) return loss_at_;
    if (in_flight_ == 0) return kNever;
    const Duration timeout = rtt_.probe_timeout(in_flight_ >= AckTracker::kPacketsPerAck);
    return last_sent_ + std::min(timeout * (std::int64_t{1} << std::min<std::uint8_t>(probe_count_, 16)), probe_timeout_max());
}

void PacketSpace::on_timeout(Instant now, FateSink fate) {
    // From here on the pace is no deadline: a transport that has no room is not asked again and again.
    if (data_ready_at() <= now) pace_kept_ = true;
    if (now < next_deadline()) return;
    if (loss_at_ != kNever) {
        detect_loss(now, fate);
        return;
    }
    shared_->counters.add(Counter::probe_timeouts);
    if (probe_count_ < 16) ++probe_count_;
    probes_owed_ = 2;
    // The oldest two are sent again; what was sent again before gives its place to the probes.
    std::uint8_t chosen = 0;
    for (std::size_t i = 0; i < ring_.size() && chosen < 2; ++i) {
        SentPacket& packet = ring_[i];
        if (packet.done) continue;
        ++chosen;
        if (packet.probed) {
            lose(packet, fate);
        } else {
            packet.probed = true;
            fate(packet, PacketFate::probe);
        }
    }
    pop_done();
    while (ring_.size() + probes_owed_ > ring_.capacity()) {
        if (!ring_.front().done) lose(ring_.front(), fate);
        ring_.pop();
    }
    last_sent_ = now;  // the next timeout counts from here even if the probes cannot leave (and the pace)
}

}  // namespace dunlin::link
