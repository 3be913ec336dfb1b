#include <dunlin/bus/subscriptions.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/link/outbox.hpp>

namespace dunlin::bus {

LocalSubscriptions::LocalSubscriptions(const LocalSubscriptionStorage& storage)
    : rows_(storage.rows), filters_(storage.filters, storage.filter_bytes_max) {
    DUNLIN_ASSERT(storage.filters.size() == rows_.size() * storage.filter_bytes_max);
}

Result<SubscriptionId> LocalSubscriptions::add(std::string_view filter, Handler handler, std::uint32_t durable_id, LeaseKey fence,
                                               std::uint32_t settled) {
    SubscriptionId id = durable_subscription(durable_id);
    LocalSubscription* row = nullptr;
    if (durable_id != 0) {
        row = find_row(id);
        if (row != nullptr && !row->removed) return Status::invalid_argument;
    } else {
        last_volatile_id_ = last_volatile_id_ == kDurableIdMax ? 1 : last_volatile_id_ + 1;
        id = SubscriptionId{last_volatile_id_};
    }
    if (row == nullptr) row = reusable_row(settled);
    if (row == nullptr) return Status::table_full;
    *row = LocalSubscription{.fence = fence,
                             .handler = handler,
                             .id = id,
                             .generation = next_generation(),
                             .filter_bytes = static_cast<std::uint16_t>(filter.size())};
    filters_.set(static_cast<std::size_t>(row - rows_.data()), filter);
    return id;
}

Status LocalSubscriptions::remove(SubscriptionId id) {
    LocalSubscription* const row = find_row(id);
    if (row == nullptr || row->removed) return Status::not_found;
    *row = LocalSubscription{.id = id, .generation = next_generation(), .removed = true};
    return Status::ok;
}

LocalSubscription* LocalSubscriptions::find_row(SubscriptionId id) {
    for (LocalSubscription& row : rows_) {
        if (row.id == id && id != SubscriptionId{}) return &row;
    }
    return nullptr;
}

// A free row, else the removed one that has been known to the peers for longest; a durable one last, since a peer that is
// away must still hear that it was removed.
LocalSubscription* LocalSubscriptions::reusable_row(std::uint32_t settled) {
    LocalSubscription* best = nullptr;
    for (LocalSubscription& row : rows_) {
        if (row.id == SubscriptionId{}) return &row;
        if (!row.removed || row.generation > settled) continue;
        const bool better = best == nullptr || (is_durable(best->id) && !is_durable(row.id)) ||
                            (is_durable(best->id) == is_durable(row.id) && row.generation < best->generation);
        if (better) best = &row;
    }
    return best;
}

const LocalSubscription* LocalSubscriptions::find(SubscriptionId id) const {
    for (const LocalSubscription& row : rows_) {
        if (row.id == id && id != SubscriptionId{} && !row.removed) return &row;
    }
    return nullptr;
}

bool LocalSubscriptions::was_removed(SubscriptionId id) const {
    for (const LocalSubscription& row : rows_) {
        if (row.id == id && row.removed) return true;
    }
    return false;
}

const LocalSubscription* LocalSubscriptions::next_after(std::uint32_t generation) const {
    const LocalSubscription* next = nullptr;
    for (const LocalSubscription& row : rows_) {
        if (row.id == SubscriptionId{} || row.generation <= generation) continue;
        if (next == nullptr || row.generation < next->generation) next = &row;
    }
    return next;
}

std::string_view LocalSubscriptions::filter(const LocalSubscription& row) const {
    return filters_.get(static_cast<std::size_t>(&row - rows_.data()), row.filter_bytes);
}

void LocalSubscriptions::renumber() {
    const std::uint32_t last = last_change_;
    for (std::uint32_t at = 0;;) {
        const LocalSubscription* const next = next_after(at);
        if (next == nullptr || next->generation > last) return;
        at = next->generation;
        rows_[static_cast<std::size_t>(next - rows_.data())].generation = next_generation();
    }
}

}  // namespace dunlin::bus
