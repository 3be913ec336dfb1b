#include <dunlin_asio/path_table.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>

#include <bit>
#include <span>

namespace dunlin_asio {

PathTable::PathTable(std::size_t paths_max, std::uint64_t hash_seed)
    : slots_(paths_max), buckets_(std::bit_ceil(paths_max), kNone), hash_seed_(hash_seed) {
    DUNLIN_ASSERT(paths_max > 0 && paths_max < kNone);
    for (std::size_t i = 0; i < paths_max; ++i) {
        slots_[i].id = static_cast<std::uint32_t>(i);  // the slot of an id is its remainder; the first id given is one round on
        move_to(static_cast<std::uint16_t>(i), free_list);
    }
}

PathTable::Found PathTable::received_from(const Endpoint& endpoint) {
    Found found;
    std::uint16_t slot = slot_of(endpoint);
    if (slot == kNone) slot = take(endpoint, answered, found.evicted);
    if (slot == kNone) return found;
    const List list = slots_[slot].list;
    move_to(slot, list == free_list ? stranger : list);
    found.path = dunlin::PathId{slots_[slot].id};
    return found;
}

PathTable::Found PathTable::dial(const Endpoint& endpoint) {
    Found found;
    std::uint16_t slot = slot_of(endpoint);
    if (slot == kNone) slot = take(endpoint, dialled, found.evicted);
    move_to(slot, dialled);
    found.path = dunlin::PathId{slots_[slot].id};
    return found;
}

const Endpoint* PathTable::send_to(dunlin::PathId path) {
    const std::uint16_t slot = slot_of(path);
    if (slot == kNone) return nullptr;
    move_to(slot, slots_[slot].list == dialled ? dialled : answered);
    return &slots_[slot].endpoint;
}

const Endpoint* PathTable::find(dunlin::PathId path) const {
    const std::uint16_t slot = slot_of(path);
    return slot == kNone ? nullptr : &slots_[slot].endpoint;
}

bool PathTable::takes_trains(dunlin::PathId path) const {
    const std::uint16_t slot = slot_of(path);
    return slot != kNone && slots_[slot].takes_trains;
}

void PathTable::refuse_trains(dunlin::PathId path) {
    const std::uint16_t slot = slot_of(path);
    if (slot != kNone) slots_[slot].takes_trains = false;
}

std::size_t PathTable::bucket_of(const Endpoint& endpoint) const {
    // The port and the address are what differs; the rest of a sockaddr (flow label) must not make two paths of one address.
    std::uint64_t hash = hash_seed_;
    const auto mix = [&hash](const auto& bytes) { hash = dunlin::fnv1a64(std::as_bytes(std::span(bytes)), hash); };
    if (endpoint.address().is_v4()) {
        mix(endpoint.address().to_v4().to_bytes());
    } else {
        mix(endpoint.address().to_v6().to_bytes());
    }
    const std::uint16_t port[] = {endpoint.port()};
    mix(port);
    return static_cast<std::size_t>(hash ^ (hash >> 32)) & (buckets_.size() - 1);
}

std::uint16_t PathTable::slot_of(const Endpoint& endpoint) const {
    std::uint16_t slot = buckets_[bucket_of(endpoint)];
    while (slot != kNone && slots_[slot].endpoint != endpoint) slot = slots_[slot].bucket_next;
    return slot;
}

std::uint16_t PathTable::slot_of(dunlin::PathId path) const {
    const std::size_t slot = path.value() % slots_.size();
    const bool known = slots_[slot].id == path.value() && slots_[slot].list != free_list;
    return known ? static_cast<std::uint16_t>(slot) : kNone;
}

std::uint16_t PathTable::take(const Endpoint& endpoint, List last_resort, dunlin::PathId& evicted) {
    std::uint16_t slot = kNone;
    for (int list = free_list; slot == kNone && list <= last_resort; ++list) slot = ends_[list].oldest;
    if (slot == kNone) return kNone;
    if (slots_[slot].list != free_list) {
        evicted = dunlin::PathId{slots_[slot].id};
        forget(slot);
    }
    Slot& taken = slots_[slot];
    const auto round = static_cast<std::uint32_t>(slots_.size());
    taken.id = taken.id > UINT32_MAX - round ? slot + round : taken.id + round;
    taken.endpoint = endpoint;
    taken.takes_trains = true;
    const std::size_t bucket = bucket_of(endpoint);
    taken.bucket_next = buckets_[bucket];
    buckets_[bucket] = slot;
    ++size_;
    return slot;
}

void PathTable::forget(std::uint16_t slot) {
    std::uint16_t* link = &buckets_[bucket_of(slots_[slot].endpoint)];
    while (*link != slot) link = &slots_[*link].bucket_next;
    *link = slots_[slot].bucket_next;
    move_to(slot, free_list);
    --size_;
}

void PathTable::move_to(std::uint16_t index, List list) {
    Slot& slot = slots_[index];
    Ends& from = ends_[slot.list];
    if (slot.newer != kNone) {
        slots_[slot.newer].older = slot.older;
    } else if (from.newest == index) {
        from.newest = slot.older;
    }
    if (slot.older != kNone) {
        slots_[slot.older].newer = slot.newer;
    } else if (from.oldest == index) {
        from.oldest = slot.newer;
    }
    Ends& to = ends_[list];
    slot.list = list;
    slot.newer = kNone;
    slot.older = to.newest;
    if (to.newest != kNone) slots_[to.newest].newer = index;
    to.newest = index;
    if (to.oldest == kNone) to.oldest = index;
}

}  // namespace dunlin_asio
