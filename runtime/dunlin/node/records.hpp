#pragma once

#include <dunlin/core/ids.hpp>

#include <cstdint>

namespace dunlin {

// What the node itself keeps in the journal. Little-endian, fixed width.

// RecordKind::bind: the cluster that this journal belongs to.
struct BindRecord {
    std::uint64_t incarnation;
};
static_assert(sizeof(BindRecord) == 8);
[[nodiscard]] constexpr BindRecord bind_record(ClusterIncarnation cluster) { return {cluster.value()}; }

// RecordKind::epoch: written at each start, durable before the first packet.
struct EpochRecord {
    std::uint32_t epoch;
    std::uint32_t reserved;
};
static_assert(sizeof(EpochRecord) == 8);
[[nodiscard]] constexpr EpochRecord epoch_record(BootEpoch epoch) { return {epoch.value(), 0}; }

// RecordKind::watermark_void: the publisher gave its slot to another peer. Its watermark before this record means nothing, so
// that recovery never holds more watermarks than the node held at that moment.
struct WatermarkVoidRecord {
    std::uint16_t publisher;
    std::uint16_t reserved0;
    std::uint32_t reserved1;
};
static_assert(sizeof(WatermarkVoidRecord) == 8);

// RecordKind::image_chunk: a piece of the ledger's image; its bytes follow.
struct ImageChunkRecord {
    std::uint32_t offset = 0;
    std::uint32_t total_bytes = 0;
};
static_assert(sizeof(ImageChunkRecord) == 8);

}  // namespace dunlin
