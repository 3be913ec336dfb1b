#include <dunlin_sim/checkers/durable_bus.hpp>

#include <dunlin/bus/records.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/link/settlement_book.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace dunlin::sim {

// ---- Sets of sequences --------------------------------------------------------------------------------------------------------

bool SettledSequences::contains(std::uint64_t sequence) const {
    if (sequence <= cumulative) return true;
    const std::uint64_t bit = sequence - cumulative - 1;
    return bit / 64 < words.size() && (words[bit / 64] >> bit % 64 & 1U) != 0;
}

std::uint64_t SettledSequences::first_missing_in(const SettledSequences& other, std::uint64_t from) const {
    for (std::uint64_t sequence = std::max(other.cumulative, from) + 1; sequence <= cumulative; ++sequence) {
        if (!other.contains(sequence)) return sequence;
    }
    for (std::size_t w = 0; w < words.size(); ++w) {
        for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
            const std::uint64_t sequence = cumulative + 1 + 64 * w + static_cast<unsigned>(std::countr_zero(bits));
            if (sequence > from && !other.contains(sequence)) return sequence;
        }
    }
    return 0;
}

std::optional<SettledSequences> settled_in(const wire::Record& settlement) {
    const auto fixed = settlement.as<wire::Settlement>();
    SettledSequences told{StreamId{fixed.stream()}, fixed.cumulative(), std::vector<std::uint64_t>(fixed.bitmap_words())};
    if (settlement.bytes.size() < told.words.size() * sizeof(std::uint64_t)) return std::nullopt;
    if (!told.words.empty()) std::memcpy(told.words.data(), settlement.bytes.data(), told.words.size() * sizeof(std::uint64_t));
    return told;
}

// ---- Records ------------------------------------------------------------------------------------------------------------------

void DurableBus::take(journal::RecordKind kind, std::span<const std::byte> payload) {
    switch (kind) {
        case journal::RecordKind::watermark: return take_watermark(payload);
        case journal::RecordKind::watermark_void: {
            WatermarkVoidRecord record{};
            if (dunlin::take(payload, record)) settled_.erase(NodeId{record.publisher});
            return;
        }
        case journal::RecordKind::outbox_put: {
            bus::OutboxPutRecord record{};
            if (dunlin::take(payload, record)) deliveries_.try_emplace(record.publish);
            return;
        }
        case journal::RecordKind::outbox_delivery: return take_delivery(payload);
        case journal::RecordKind::outbox_done: return take_done(payload);
        default: return;
    }
}

void DurableBus::take_watermark(std::span<const std::byte> payload) {
    link::WatermarkHead head{};
    if (!dunlin::take(payload, head) || head.lane >= kLanesMax) return;
    SettledSequences& settled = settled_[NodeId{head.publisher}][head.lane];
    settled = {StreamId{head.stream}, head.cumulative, std::vector<std::uint64_t>(head.words)};
    for (std::uint64_t& word : settled.words) {
        if (!dunlin::take(payload, word)) return;
    }
}

void DurableBus::take_delivery(std::span<const std::byte> payload) {
    bus::OutboxDeliveryRecord record{};
    if (!dunlin::take(payload, record)) return;
    std::vector<Delivery>& deliveries = deliveries_[record.publish];
    const auto known = std::ranges::find_if(
        deliveries, [&](const Delivery& each) { return each.node == record.node && each.subscription == record.subscription; });
    const Delivery delivery{record.subscription, record.node, static_cast<Outcome>(record.outcome)};
    if (known == deliveries.end()) {
        deliveries.push_back(delivery);
    } else {
        *known = delivery;
    }
}

void DurableBus::take_done(std::span<const std::byte> payload) {
    for (bus::OutboxDoneRecord record{}; dunlin::take(payload, record);) {
        const auto found = deliveries_.find(record.publish);
        if (found == deliveries_.end()) continue;
        std::vector<Delivery>& deliveries = found->second;
        const auto is_it = [&](const Delivery& each) { return each.node == record.node && each.subscription == record.subscription; };
        if (record.outcome == 0) {
            std::erase_if(deliveries, is_it);
            if (deliveries.empty()) deliveries_.erase(found);
        } else if (const auto known = std::ranges::find_if(deliveries, is_it); known != deliveries.end()) {
            known->outcome = static_cast<Outcome>(record.outcome);
        }
    }
}

// ---- Looking up ---------------------------------------------------------------------------------------------------------------

const SettledSequences* DurableBus::settled(NodeId publisher, std::size_t lane) const {
    const auto found = settled_.find(publisher);
    return found == settled_.end() ? nullptr : &found->second[lane];
}

std::optional<Outcome> DurableBus::outcome(PublishId publish, NodeId node, SubscriptionId subscription) const {
    const auto found = deliveries_.find(publish.value());
    if (found == deliveries_.end()) return std::nullopt;
    for (const Delivery& each : found->second) {
        if (each.node == node.value() && each.subscription == subscription.value()) return each.outcome;
    }
    return std::nullopt;
}

}  // namespace dunlin::sim
