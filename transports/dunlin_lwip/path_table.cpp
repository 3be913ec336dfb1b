#include <dunlin_lwip/path_table.hpp>

namespace dunlin_lwip {

PathTable::Found PathTable::received_from(const Endpoint& endpoint) {
    dunlin::PathId evicted{};
    Slot* slot = slot_of(endpoint);
    if (slot == nullptr) slot = take(endpoint, Standing::answered, evicted);
    if (slot == nullptr) return {};
    return use(*slot, slot->standing == Standing::unused ? Standing::stranger : slot->standing, evicted);
}

PathTable::Found PathTable::dial(const Endpoint& endpoint) {
    dunlin::PathId evicted{};
    Slot* slot = slot_of(endpoint);
    if (slot == nullptr) slot = take(endpoint, Standing::dialled, evicted);
    return use(*slot, Standing::dialled, evicted);
}

const Endpoint* PathTable::send_to(dunlin::PathId path) {
    const std::size_t index = slot_of(path);
    if (index == paths_max()) return nullptr;
    Slot& slot = slots_[index];
    static_cast<void>(use(slot, slot.standing == Standing::dialled ? Standing::dialled : Standing::answered, {}));
    return &slot.endpoint;
}

bool PathTable::dialled(dunlin::PathId path) const {
    const std::size_t index = slot_of(path);
    return index != paths_max() && slots_[index].standing == Standing::dialled;
}

const Endpoint* PathTable::find(dunlin::PathId path) const {
    const std::size_t index = slot_of(path);
    return index == paths_max() ? nullptr : &slots_[index].endpoint;
}

std::size_t PathTable::size() const {
    std::size_t used = 0;
    for (std::size_t i = 0; i < paths_max(); ++i) used += slots_[i].standing != Standing::unused ? 1 : 0;
    return used;
}

PathTable::Slot* PathTable::slot_of(const Endpoint& endpoint) {
    for (std::size_t i = 0; i < paths_max(); ++i) {
        if (slots_[i].standing != Standing::unused && slots_[i].endpoint == endpoint) return &slots_[i];
    }
    return nullptr;
}

std::size_t PathTable::slot_of(dunlin::PathId path) const {
    const std::size_t index = path.value() % static_cast<std::uint32_t>(paths_max());
    const bool known = slots_[index].standing != Standing::unused && slots_[index].id == path.value();
    return known ? index : paths_max();
}

// A slot for a new address: an unused one, or else one of the lowest standing there is, up to `last_resort`.
PathTable::Slot* PathTable::take(const Endpoint& endpoint, Standing last_resort, dunlin::PathId& evicted) {
    Slot* slot = nullptr;
    for (Standing standing = Standing::unused; slot == nullptr && standing <= last_resort;) {
        slot = longest_unused(standing);
        standing = static_cast<Standing>(static_cast<std::uint8_t>(standing) + 1);
    }
    if (slot == nullptr) return nullptr;
    if (slot->standing != Standing::unused) evicted = dunlin::PathId{slot->id};
    const auto round = static_cast<std::uint32_t>(paths_max());
    const auto index = static_cast<std::uint32_t>(slot - slots_.data());
    const bool first_round = slot->id == 0 || slot->id > UINT32_MAX - round;
    *slot = {.endpoint = endpoint, .id = (first_round ? index : slot->id) + round};
    return slot;
}

PathTable::Slot* PathTable::longest_unused(Standing standing) {
    Slot* found = nullptr;
    for (std::size_t i = 0; i < paths_max(); ++i) {
        Slot& slot = slots_[i];
        if (slot.standing != standing) continue;
        if (found == nullptr || uses_ - slot.used_at > uses_ - found->used_at) found = &slot;
    }
    return found;
}

PathTable::Found PathTable::use(Slot& slot, Standing standing, dunlin::PathId evicted) {
    slot.standing = standing;
    slot.used_at = ++uses_;
    return {.path = dunlin::PathId{slot.id}, .evicted = evicted};
}

}  // namespace dunlin_lwip
