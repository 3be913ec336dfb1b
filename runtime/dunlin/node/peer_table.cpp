#include <dunlin/node/peer_table.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin {
namespace {

template <class Predicate>
PeerIndex first_where(std::span<const PeerSlot> slots, Predicate predicate) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (predicate(slots[i])) return PeerIndex{static_cast<std::uint16_t>(i)};
    }
    return kNoPeer;
}

}  // namespace

PeerIndex PeerTable::find(NodeId node) const {
    return first_where(slots_, [node](const PeerSlot& slot) { return slot.in_use && slot.node == node; });
}

PeerIndex PeerTable::find_unnamed(PathId path) const {
    return first_where(slots_, [path](const PeerSlot& slot) {
        return slot.in_use && slot.node == NodeId{} && slot.phase == PathPhase::up && slot.path == path;
    });
}

PeerIndex PeerTable::find_address(std::span<const std::byte> address) const {
    return first_where(slots_, [address](const PeerSlot& slot) {
        return slot.in_use && std::ranges::equal(std::span(slot.address).first(slot.address_bytes), address);
    });
}

PeerIndex PeerTable::find_dial(std::uint16_t dial_id) const {
    return first_where(
        slots_, [dial_id](const PeerSlot& slot) { return slot.in_use && slot.phase == PathPhase::asked && slot.dial_id == dial_id; });
}

void PeerTable::begin_round() {
    for (PeerSlot& slot : slots_) slot.has_nothing = false;
    all_to_be_asked_ = false;
}

bool PeerTable::any_free() const {
    return std::ranges::any_of(slots_, [](const PeerSlot& slot) { return !slot.in_use; });
}

PeerIndex PeerTable::take() {
    const PeerIndex peer = first_where(slots_, [](const PeerSlot& slot) { return !slot.in_use; });
    if (peer != kNoPeer) {
        slots_[peer.value()] = PeerSlot{};
        slots_[peer.value()].in_use = true;
    }
    return peer;
}

void PeerTable::set_address(Instant now, PeerIndex peer, std::span<const std::byte> address) {
    DUNLIN_ASSERT(!address.empty() && address.size() <= kAddressBytesMax);
    PeerSlot& slot = (*this)[peer];
    std::ranges::copy(address, slot.address.begin());
    slot.address_bytes = static_cast<std::uint8_t>(address.size());
    if (slot.phase == PathPhase::none) slot.dial_at = now;
}

void PeerTable::forget_address(PeerIndex peer) {
    PeerSlot& slot = (*this)[peer];
    slot.address_bytes = 0;
    slot.of_member = false;
    slot.dial_at = kNever;
    if (slot.phase == PathPhase::asked) slot.phase = PathPhase::none;
}

std::optional<Dial> PeerTable::poll_dial(Instant now) {
    for (PeerSlot& slot : slots_) {
        if (!slot.in_use || slot.phase != PathPhase::none || slot.dial_at > now) continue;
        last_dial_id_ = static_cast<std::uint16_t>(last_dial_id_ == 0xffff ? 1 : last_dial_id_ + 1);
        slot.dial_id = last_dial_id_;
        slot.phase = PathPhase::asked;
        slot.dial_at = kNever;
        return Dial{slot.dial_id, std::span(slot.address).first(slot.address_bytes)};
    }
    return std::nullopt;
}

void PeerTable::path_down(Instant now, PeerIndex peer) {
    PeerSlot& slot = (*this)[peer];
    slot.phase = PathPhase::none;
    slot.path = PathId{};
    slot.blocked = false;
    if (slot.address_bytes == 0) return;
    constexpr int kDoublingsMax = 7;
    const Duration pause = std::min<Duration>(milliseconds{100} * (1 << std::min<int>(slot.attempts, kDoublingsMax)), seconds{10});
    if (slot.attempts < kDoublingsMax) ++slot.attempts;
    slot.dial_at = now + pause;
}

Instant PeerTable::next_deadline() const {
    Instant deadline = kNever;
    for (const PeerSlot& slot : slots_) {
        if (slot.in_use && slot.phase == PathPhase::none) deadline = earlier(deadline, slot.dial_at);
    }
    return deadline;
}

}  // namespace dunlin
