#pragma once

#include <dunlin/bus/bus.hpp>
#include <dunlin/core/limits.hpp>

#include <array>

namespace dunlin::bus {

// The arrays behind a Bus.
template <Limits L>
struct BusArrays {
    std::array<LocalSubscription, L.local_subscriptions> local{};
    std::array<RemoteSubscription, L.remote_subscriptions> remote{};
    std::array<BusPeer, L.peers> peers{};
    std::array<FenceRow, L.fences> fences{};
    std::array<KeyEntry, L.explicit_keys> keys{};
    std::array<std::uint16_t, L.explicit_keys> key_buckets{};
    std::array<std::uint16_t, L.topics> topic_lengths{};
    std::array<char, std::size_t{L.topics} * L.topic_bytes_max> topic_text{};
    std::array<char, std::size_t{L.local_subscriptions} * L.topic_bytes_max> local_filters{};
    std::array<char, std::size_t{L.remote_subscriptions} * L.topic_bytes_max> remote_filters{};

    // BusStorage::scratch is left to the caller, who may share the inbox's.
    BusStorage storage() {
        return {
            .topics = {.lengths = topic_lengths, .text = topic_text, .bytes_max = L.topic_bytes_max},
            .local = {.rows = local, .filters = local_filters, .filter_bytes_max = L.topic_bytes_max},
            .remote = {.rows = remote, .filters = remote_filters, .filter_bytes_max = L.topic_bytes_max},
            .peers = peers,
            .fences = fences,
            .keys = {.entries = keys, .buckets = key_buckets},
        };
    }
};

}  // namespace dunlin::bus
