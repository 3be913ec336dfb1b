#include <dunlin/bus/remote_subscriptions.hpp>

#include <dunlin/bus/filter.hpp>
#include <dunlin/core/assert.hpp>

#include <algorithm>

namespace dunlin::bus {

RemoteSubscriptions::RemoteSubscriptions(const RemoteSubscriptionStorage& storage)
    : rows_(storage.rows), filters_(storage.filters, storage.filter_bytes_max) {
    DUNLIN_ASSERT(storage.filters.size() == rows_.size() * storage.filter_bytes_max);
}

RemoteSubscription* RemoteSubscriptions::find(NodeId node, SubscriptionId id) {
    for (RemoteSubscription& row : rows_) {
        if (row.id == id && row.node == node && id != SubscriptionId{}) return &row;
    }
    return nullptr;
}

RemoteSubscription* RemoteSubscriptions::free_row() const {
    for (RemoteSubscription& row : rows_) {
        if (row.id == SubscriptionId{}) return &row;
    }
    return nullptr;
}

RemoteSubscriptions::Change RemoteSubscriptions::put(NodeId node, PeerIndex peer, SubscriptionId id, std::string_view text) {
    RemoteSubscription* row = find(node, id);
    const bool known = row != nullptr;
    if (row == nullptr) row = free_row();
    if (row == nullptr) return Change::full;
    *row = RemoteSubscription{
        .id = id, .filter_bytes = static_cast<std::uint16_t>(text.size()), .node = node, .peer = peer, .confirmed = true};
    const auto index = static_cast<std::size_t>(row - rows_.data());
    filters_.set(index, text);
    used_end_ = std::max(used_end_, index + 1);
    return known ? Change::known : Change::added;
}

void RemoteSubscriptions::remove(RemoteSubscription& row) {
    row = {};
    while (used_end_ > 0 && rows_[used_end_ - 1].id == SubscriptionId{}) --used_end_;
}

std::string_view RemoteSubscriptions::filter(const RemoteSubscription& row) const {
    return filters_.get(static_cast<std::size_t>(&row - rows_.data()), row.filter_bytes);
}

std::size_t RemoteSubscriptions::next_match(std::size_t from, std::string_view topic) const {
    for (; from < used_end_; ++from) {
        if (rows_[from].id != SubscriptionId{} && matches(filter(rows_[from]), topic)) return from;
    }
    return rows_.size();
}

}  // namespace dunlin::bus
