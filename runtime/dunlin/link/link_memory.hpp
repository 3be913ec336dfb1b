#pragma once

#include <dunlin/core/limits.hpp>
#include <dunlin/link/inbox.hpp>
#include <dunlin/link/link.hpp>
#include <dunlin/link/outbox.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dunlin::link {

// Derived sizes: room that follows from the limits.
template <Limits L>
struct LinkSizes {
    static constexpr std::size_t outbox_blocks = L.outbox_bytes / L.payload_block_bytes;
    static constexpr std::size_t inbox_blocks = L.inbox_bytes / L.payload_block_bytes;
    static constexpr std::size_t fragments_max = fragments_of(L.message_bytes_max + kBlocksBytesMax);
    static constexpr std::size_t lane_window = L.lane_window != 0 ? L.lane_window : L.deliveries;
    static constexpr std::size_t sent = std::size_t{L.packets_in_flight_per_peer} + PacketSpace::kControlReserve;
    static constexpr std::size_t ack_ranges = std::clamp<std::size_t>(L.packets_in_flight_per_peer * 3U / 4U, 6, 32);
    static constexpr std::size_t settled_words = std::bit_ceil(std::size_t{L.unsettled_max} / 64);
    static constexpr std::size_t notes = std::clamp<std::size_t>(L.unsettled_max / 10, 6, kSettlementNotesMax);
    static constexpr std::size_t watermark_bytes = watermark_bytes_max(settled_words * 64, notes);
};

// The arrays behind an Outbox and an Inbox: one each a node.
template <Limits L>
struct BoxArrays {
    using Sizes = LinkSizes<L>;
    SlotArray<OutboxMessage, L.outbox_messages> messages;
    SlotArray<InboxSlot, L.inbox_messages> inbox_slots;
    SlotArray<Delivery, L.deliveries> deliveries;
    // Payloads are written before they are read, so these are left as they are, as slots are.
    alignas(8) std::array<std::byte, Sizes::outbox_blocks * L.payload_block_bytes> outbox_bytes;
    alignas(8) std::array<std::byte, Sizes::inbox_blocks * L.payload_block_bytes> inbox_bytes;
    alignas(8) std::array<std::byte, std::size_t{L.message_bytes_max} + kBlocksBytesMax> scratch{};
    std::array<std::uint16_t, Sizes::outbox_blocks> outbox_links{};
    std::array<std::uint16_t, Sizes::inbox_blocks> inbox_links{};
    std::array<resilience::RetryBudget, L.peers> retries{};

    OutboxStorage outbox_storage() { return {outbox_bytes, outbox_links, L.payload_block_bytes, messages.slots(), deliveries.slots()}; }
    InboxStorage inbox_storage() {
        return {inbox_bytes, inbox_links, L.payload_block_bytes, inbox_slots.slots(), scratch, L.message_bytes_max, retries};
    }
};

// The arrays behind one lane of a Link.
template <Limits L>
struct LaneArrays {
    using Sizes = LinkSizes<L>;
    std::array<std::uint64_t, 3 * Sizes::settled_words> settled_bits{};
    std::array<SettlementNote, Sizes::notes> notes{};
    std::array<std::uint16_t, Sizes::lane_window> window;  // a ring: as the payloads above

    LaneStorage storage() { return {window, {settled_bits, notes}}; }
};

// The arrays behind one Link: one each a peer.
template <Limits L>
struct LinkArrays {
    using Sizes = LinkSizes<L>;
    std::array<SentPacket, Sizes::sent> sent{};
    std::array<SentAlias, L.aliases_per_peer> sender_aliases{};
    std::array<ReceivedAlias, L.aliases_per_peer> receiver_aliases{};
    std::array<NumberRange, Sizes::ack_ranges> ack_ranges{};
    std::array<LaneArrays<L>, L.lanes> lanes;  // not {}, which would write over the windows too
    alignas(LaneEnds) std::array<std::byte, sizeof(LaneEnds) * L.lanes> ends;

    LinkStorage storage() {
        LinkStorage storage{
            .ends = ends, .sender_aliases = sender_aliases, .receiver_aliases = receiver_aliases, .sent = sent, .ack_ranges = ack_ranges};
        for (std::size_t i = 0; i < L.lanes; ++i) storage.lanes[i] = lanes[i].storage();
        return storage;
    }
};

}  // namespace dunlin::link
