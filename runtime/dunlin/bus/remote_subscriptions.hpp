#pragma once

#include <dunlin/bus/message.hpp>
#include <dunlin/bus/topics.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::bus {

struct RemoteSubscription {
    SubscriptionId id{};  // 0: the row is free
    std::uint16_t filter_bytes = 0;
    NodeId node{};
    PeerIndex peer = kNoPeer;
    bool confirmed = false;  // stated in the present session
};

struct RemoteSubscriptionStorage {
    std::span<RemoteSubscription> rows{};
    std::span<char> filters{};  // rows.size() * filter_bytes_max
    std::size_t filter_bytes_max = 0;
};

// What the peers listen to. A row is named by (node, subscription). Lookups are O(rows), of which those behind the last one in use
// cost nothing.
class RemoteSubscriptions {
  public:
    explicit RemoteSubscriptions(const RemoteSubscriptionStorage& storage);

    enum class Change : std::uint8_t { added, known, full };
    // Stores a subscription, or replaces one that is known. `filter` is valid. full: nothing changed.
    Change put(NodeId node, PeerIndex peer, SubscriptionId id, std::string_view filter);
    [[nodiscard]] bool full() const { return free_row() == nullptr; }
    [[nodiscard]] RemoteSubscription* find(NodeId node, SubscriptionId id);
    void remove(RemoteSubscription& row);

    [[nodiscard]] std::span<RemoteSubscription> rows() { return rows_; }
    [[nodiscard]] std::span<const RemoteSubscription> rows() const { return rows_; }
    [[nodiscard]] std::string_view filter(const RemoteSubscription& row) const;
    // The next row at or after `from` whose filter matches; rows().size() when there is none.
    [[nodiscard]] std::size_t next_match(std::size_t from, std::string_view topic) const;
    [[nodiscard]] std::size_t filter_bytes_max() const { return filters_.bytes_max(); }

  private:
    [[nodiscard]] RemoteSubscription* free_row() const;

    std::span<RemoteSubscription> rows_;
    std::size_t used_end_ = 0;  // rows from here on are free
    NameSlots filters_;
};

}  // namespace dunlin::bus
