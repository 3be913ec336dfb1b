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

// A subscription of this node, or (removed) the memory that there was one, kept until the peers were told.
struct LocalSubscription {
    LeaseKey fence{};  // 0: none
    Handler handler{};
    SubscriptionId id{};           // 0: the row is free
    std::uint32_t generation = 0;  // of its last change
    std::uint16_t filter_bytes = 0;
    bool removed = false;
};

struct LocalSubscriptionStorage {
    std::span<LocalSubscription> rows{};
    std::span<char> filters{};  // rows.size() * filter_bytes_max
    std::size_t filter_bytes_max = 0;
};

// What this node listens to. Each change has its own generation, so that a peer can say up to where it knows the table.
// Invariant: the generations of the rows in use are distinct and not above last_change(). (They wrap after 2^32 changes
// in one process, which nothing here guards against.)
class LocalSubscriptions {
  public:
    explicit LocalSubscriptions(const LocalSubscriptionStorage& storage);

    // `filter` is valid. table_full; invalid_argument: a subscription with this durable id exists. `settled`: the
    // generation that every open peer knows: removed rows up to it are free to be used again.
    [[nodiscard]] Result<SubscriptionId> add(std::string_view filter, Handler handler, std::uint32_t durable_id, LeaseKey fence,
                                             std::uint32_t settled);
    Status remove(SubscriptionId id);  // not_found

    // The live subscription, or null. O(rows).
    [[nodiscard]] const LocalSubscription* find(SubscriptionId id) const;
    // This process had the durable subscription and removed it.
    [[nodiscard]] bool was_removed(SubscriptionId id) const;
    // The row with the lowest generation above `generation`, or null. O(rows).
    [[nodiscard]] const LocalSubscription* next_after(std::uint32_t generation) const;
    [[nodiscard]] std::string_view filter(const LocalSubscription& row) const;
    // Of the latest change; every row is at or below it.
    [[nodiscard]] std::uint32_t last_change() const { return last_change_; }
    // A generation of its own that no row has: it marks the end of the table as it is now.
    [[nodiscard]] std::uint32_t take_mark() { return ++generation_; }
    // Gives every row a new generation, in the same order: all peers hear the whole table again. O(rows^2).
    void renumber();

  private:
    [[nodiscard]] LocalSubscription* find_row(SubscriptionId id);
    [[nodiscard]] LocalSubscription* reusable_row(std::uint32_t settled);

    [[nodiscard]] std::uint32_t next_generation() { return last_change_ = ++generation_; }

    std::span<LocalSubscription> rows_;
    NameSlots filters_;
    std::uint32_t generation_ = 0;
    std::uint32_t last_change_ = 0;
    std::uint32_t last_volatile_id_ = 0;
};

}  // namespace dunlin::bus
