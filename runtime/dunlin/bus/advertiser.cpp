#include <dunlin/bus/advertiser.hpp>

#include <dunlin/link/outbox.hpp>

#include <algorithm>

namespace dunlin::bus {

namespace {

constexpr Duration kRetryMin = milliseconds{200};
constexpr std::uint8_t kRetryDoublingsMax = 4;
constexpr Duration kTellAgainMin = seconds{5};
constexpr std::uint8_t kTellAgainDoublingsMax = 5;

// `now` and at least `base`, and up to that much more again, doubled with each attempt.
Instant retry_at(Instant now, Random& random, Duration base, std::uint8_t& attempts, std::uint8_t doublings_max) {
    const Duration extra = random.between(Duration{}, from_us(to_us(base) << attempts));
    if (attempts < doublings_max) ++attempts;
    return now + base + extra;
}

}  // namespace

Advertiser::Advertiser(const BusShared& shared, LocalSubscriptions& subscriptions) : shared_(&shared), subscriptions_(&subscriptions) {}

void Advertiser::session_opened(PeerIndex index) {
    BusPeer& peer = shared_->peers[index.value()];
    peer.acked = 0;
    peer.mark = subscriptions_->take_mark();
    peer.retry = kNever;
    peer.attempts = 0;
}

bool Advertiser::has_news(const BusPeer& peer) const { return peer.acked < std::max(peer.mark, subscriptions_->last_change()); }

bool Advertiser::wants_to_send(Instant now, PeerIndex index) const {
    const BusPeer& peer = shared_->peers[index.value()];
    if (!peer.open) return false;
    return peer.owes_ack || (has_news(peer) && (peer.retry == kNever || peer.retry <= now));
}

bool Advertiser::write_records(Instant now, PeerIndex index, wire::PacketWriter& writer) {
    if (!wants_to_send(now, index)) return false;
    BusPeer& peer = shared_->peers[index.value()];
    if (peer.owes_ack) {
        const std::uint32_t refused = std::uint32_t{peer.refused_before_mark} + peer.refused_since_mark;
        if (!writer.record(wire::RecordType::subscriptions_acked, wire::SubscriptionsAcked(peer.seen, refused))) return false;
        peer.owes_ack = false;
    }
    if (!wants_to_send(now, index)) return false;
    if (write_batch(peer, writer) == peer.acked) return false;
    peer.retry = retry_at(now, shared_->random, kRetryMin, peer.attempts, kRetryDoublingsMax);
    return true;
}

// The generation that the batch ends with; peer.acked where nothing had room.
std::uint32_t Advertiser::write_batch(const BusPeer& peer, wire::PacketWriter& writer) const {
    std::uint32_t at = peer.acked;
    while (true) {
        const LocalSubscription* const row = subscriptions_->next_after(at);
        if (at < peer.mark && (row == nullptr || row->generation > peer.mark)) {
            if (!writer.record(wire::RecordType::unsubscribe, wire::Unsubscribe(peer.mark, 0))) return at;
            at = peer.mark;
            continue;
        }
        if (row == nullptr || !write_row(*row, writer)) return at;
        at = row->generation;
    }
}

bool Advertiser::write_row(const LocalSubscription& row, wire::PacketWriter& writer) const {
    if (row.removed) return writer.record(wire::RecordType::unsubscribe, wire::Unsubscribe(row.generation, row.id.value()));
    const auto flags = is_durable(row.id) ? static_cast<std::uint32_t>(wire::SubscribeFlag::durable) : 0U;
    return writer.record(wire::RecordType::subscribe, wire::Subscribe(row.generation, row.id.value(), flags, 0),
                         std::as_bytes(std::span(subscriptions_->filter(row))));
}

void Advertiser::on_acked(Instant now, PeerIndex index, std::uint32_t generation, std::uint32_t refused) {
    BusPeer& peer = shared_->peers[index.value()];
    if (!peer.open || generation > std::max(peer.mark, subscriptions_->last_change())) return;
    if (generation > peer.acked) {
        peer.acked = generation;
        peer.retry = kNever;
        peer.attempts = 0;
    }
    if (refused == 0 || tell_again_ != kNever) return;
    tell_again_ = retry_at(now, shared_->random, kTellAgainMin, tell_again_attempts_, kTellAgainDoublingsMax);
}

Instant Advertiser::next_deadline() const {
    Instant next = tell_again_;
    for (const BusPeer& peer : shared_->peers) {
        if (peer.open && has_news(peer)) next = earlier(next, peer.retry);
    }
    return next;
}

// What is due stays so (kNever: at once), and leaves as soon as its link has room; no deadline stands in the past.
void Advertiser::on_timeout(Instant now) {
    for (BusPeer& peer : shared_->peers) {
        if (peer.retry <= now) peer.retry = kNever;
    }
    if (now < tell_again_) return;
    tell_again_ = kNever;
    subscriptions_->renumber();
    for (BusPeer& peer : shared_->peers) {
        if (peer.open) peer.mark = subscriptions_->take_mark();
    }
}

std::uint32_t Advertiser::settled() const {
    std::uint32_t settled = subscriptions_->last_change();
    for (const BusPeer& peer : shared_->peers) {
        if (peer.open) settled = std::min(settled, peer.acked);
    }
    return settled;
}

}  // namespace dunlin::bus
