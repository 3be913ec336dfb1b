#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/journal/record_kind.hpp>
#include <dunlin/wire/record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace dunlin::sim {

// What was settled of a stream: everything up to `cumulative`, and bit i of word w: cumulative + 1 + 64 w + i.
struct SettledSequences {
    StreamId stream{};
    std::uint64_t cumulative = 0;
    std::vector<std::uint64_t> words{};

    [[nodiscard]] bool contains(std::uint64_t sequence) const;
    // The lowest sequence above `from` that this has and `other`, of the same stream, has not; 0: there is none.
    [[nodiscard]] std::uint64_t first_missing_in(const SettledSequences& other, std::uint64_t from = 0) const;
};

// What a settlement tells; nothing: it is not well formed.
[[nodiscard]] std::optional<SettledSequences> settled_in(const wire::Record& settlement);

// What a disk knows of messages, from the records of its journal in their order: what was settled of each lane of a publisher's stream,
// and the outcomes of this node's own publishes that it may not have told yet.
class DurableBus {
  public:
    void take(journal::RecordKind kind, std::span<const std::byte> payload);

    [[nodiscard]] const SettledSequences* settled(NodeId publisher, std::size_t lane) const;             // nullptr: nothing
    [[nodiscard]] bool holds(PublishId publish) const { return deliveries_.contains(publish.value()); }  // not all of it was told yet
    // Outcome::none: not known; nothing: the disk has no such delivery.
    [[nodiscard]] std::optional<Outcome> outcome(PublishId publish, NodeId node, SubscriptionId subscription) const;

  private:
    struct Delivery {
        std::uint32_t subscription = 0;
        std::uint16_t node = 0;
        Outcome outcome = Outcome::none;
    };
    void take_watermark(std::span<const std::byte> payload);
    void take_delivery(std::span<const std::byte> payload);
    void take_done(std::span<const std::byte> payload);

    std::map<NodeId, std::array<SettledSequences, kLanesMax>> settled_;  // by publisher, and then by lane
    std::map<std::uint64_t, std::vector<Delivery>> deliveries_;          // by publish: those that were not told
};

}  // namespace dunlin::sim
