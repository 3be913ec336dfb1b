#pragma once

#include <dunlin/bus/records.hpp>
#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/format_info.hpp>
#include <dunlin/journal/record.hpp>
#include <dunlin/ledger/image.hpp>
#include <dunlin/link/link_memory.hpp>
#include <dunlin/node/node_storage.hpp>
#include <dunlin/node/records.hpp>

#include <cstddef>
#include <cstdint>

// What a node with given limits needs of its journal, so that it never stands still for want of room there.
namespace dunlin {

// All watermarks and a position: a node appends them in one batch, so that a restart finds the position that belongs to
// exactly the messages that were settled.
template <Limits L>
consteval std::uint64_t watermark_batch_bytes() {
    return std::uint64_t{L.peers} * L.lanes * journal::record_bytes(link::LinkSizes<L>::watermark_bytes) +
           journal::record_bytes(sizeof(bus::PositionRecord));
}

// The outbox as a checkpoint writes it, full: a message whose last outcome comes in the midst of it is written twice, though
// once without its payload.
template <Limits L>
consteval std::uint64_t outbox_records_bytes_max() {
    const std::uint64_t put =
        journal::record_bytes(sizeof(bus::OutboxPutRecord) + L.topic_bytes_max + sizeof(wire::KeyBlock)) + journal::kRecordAlign;
    const std::uint64_t delivery = journal::record_bytes(sizeof(bus::OutboxDeliveryRecord));
    const std::uint64_t lane = journal::record_bytes(sizeof(bus::LaneNextRecord));
    return 2 * (L.outbox_messages * put + L.deliveries * delivery) + L.outbox_bytes + L.peers * L.lanes * lane;
}

// A voter's ledger image, hard state and log.
template <Limits L>
consteval std::uint64_t replica_records_bytes_max() {
    if (!L.voter) return 0;
    constexpr std::uint64_t chunk = L.journal_buffer_bytes - sizeof(journal::RecordHead) - sizeof(ImageChunkRecord);
    const std::uint64_t image = ledger::image_bytes(L.ledger);
    const std::uint64_t chunks = (image + chunk - 1) / chunk;
    const std::uint64_t entry = journal::record_bytes(sizeof(consensus::LogEntryRecord)) + journal::kRecordAlign;
    return image + chunks * (journal::record_bytes(sizeof(ImageChunkRecord)) + journal::kRecordAlign) +
           journal::record_bytes(sizeof(consensus::HardStateRecord)) + L.log_entries * entry + L.log_bytes;
}

// Most bytes of records that a checkpoint writes.
template <Limits L>
consteval std::uint64_t checkpoint_bytes_max() {
    const std::uint64_t own = journal::record_bytes(journal::kFormatInfoBytes) + journal::record_bytes(sizeof(BindRecord)) +
                              journal::record_bytes(sizeof(EpochRecord)) + 2 * journal::record_bytes(sizeof(bus::PositionRecord));
    const std::uint64_t subscription = journal::record_bytes(sizeof(bus::RemoteSubscriptionRecord) + L.topic_bytes_max);
    const std::uint64_t key = journal::record_bytes(sizeof(bus::KeyRecord));
    const std::uint64_t fence = journal::record_bytes(sizeof(bus::FenceFloorRecord));
    return own + replica_records_bytes_max<L>() + outbox_records_bytes_max<L>() + L.remote_subscriptions * subscription + L.fences * fence +
           L.explicit_keys * key + watermark_batch_bytes<L>();
}

// Most records that a checkpoint writes, and the appends of a full buffer behind it.
template <Limits L>
consteval std::uint64_t bank_records_max() {
    std::uint64_t replica = 0;
    if constexpr (L.voter) {
        constexpr std::uint64_t chunk = L.journal_buffer_bytes - sizeof(journal::RecordHead) - sizeof(ImageChunkRecord);
        replica = (ledger::image_bytes(L.ledger) + chunk - 1) / chunk + 1 + L.log_entries;
    }
    const std::uint64_t lanes = std::uint64_t{L.peers} * L.lanes;
    const std::uint64_t outbox = 2 * (std::uint64_t{L.outbox_messages} + L.deliveries) + lanes;
    const std::uint64_t appended = L.journal_buffer_bytes / sizeof(journal::RecordHead);
    return 5 + replica + outbox + L.remote_subscriptions + L.fences + L.explicit_keys + lanes + 1 + appended;
}

template <Limits L>
consteval JournalNeed journal_need() {
    return {.bank_bytes = static_cast<std::uint32_t>(journal::kHeaderSectorBytes + checkpoint_bytes_max<L>() + L.journal_buffer_bytes),
            .records = static_cast<std::uint32_t>(bank_records_max<L>())};
}

// The smallest device (Options::journal_bytes) for these limits: each half holds the whole durable state at its longest, and
// beyond it at least as much as may be appended at once.
template <Limits L>
consteval std::uint64_t journal_device_bytes_min(journal::Geometry geometry = {}) {
    return journal_need<L>().device_bytes(geometry);
}

}  // namespace dunlin
