#include <dunlin/core/low_half.hpp>
#include <dunlin/link/alias_table.hpp>

#include <algorithm>

namespace dunlin::link {

void SentAliases::clear() {
    std::fill(slots_.begin(), slots_.end(), SentAlias{});
    hand_ = 0;
    last_found_ = 0;
}

std::uint16_t SentAliases::find(TopicIndex topic, SubscriptionId subscription) {
    const auto names = [&](const SentAlias& slot) { return slot.topic == topic && slot.subscription == subscription; };
    if (last_found_ < slots_.size() && names(slots_[last_found_])) return last_found_;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (!names(slots_[i])) continue;
        slots_[i].recent = true;
        last_found_ = static_cast<std::uint16_t>(i);
        return last_found_;
    }
    return kNoAlias;
}

std::uint16_t SentAliases::assign(TopicIndex topic, SubscriptionId subscription, std::uint32_t number_low, bool free_only) {
    for (std::size_t step = 0; step < 2 * slots_.size(); ++step) {
        const std::uint16_t alias = hand_;
        hand_ = static_cast<std::uint16_t>(hand_ + 1U == slots_.size() ? 0 : hand_ + 1U);
        SentAlias& slot = slots_[alias];
        if (slot.topic != kNoTopic && (free_only || slot.recent)) {
            if (!free_only) slot.recent = false;
            continue;
        }
        slot = {.subscription = subscription, .declared_low = number_low, .topic = topic, .recent = true};
        return alias;
    }
    return kNoAlias;
}

void SentAliases::on_packet_acked(const SentPacket& packet) {
    if (packet.alias >= slots_.size()) return;
    SentAlias& slot = slots_[packet.alias];
    // A packet older than the present meaning declared another one.
    if (!comes_before(packet.number_low, slot.declared_low)) slot.acked = true;
    slot.in_flight = false;
}

void SentAliases::on_packet_lost(const SentPacket& packet) {
    if (packet.alias < slots_.size()) slots_[packet.alias].in_flight = false;
}

void ReceivedAliases::clear() {
    std::fill(slots_.begin(), slots_.end(), ReceivedAlias{});
    own_alias_ = kNoAlias;
}

void ReceivedAliases::declare(std::uint16_t alias, std::uint32_t number_low, TopicIndex topic, SubscriptionId subscription) {
    own_ = {.subscription = subscription, .declared_low = number_low, .topic = topic};
    own_alias_ = alias;
    ReceivedAlias& slot = slots_[alias];
    if (slot.topic == kNoTopic || !comes_before(number_low, slot.declared_low)) slot = own_;
}

const ReceivedAlias* ReceivedAliases::find(std::uint16_t alias, std::uint32_t number_low) const {
    if (alias >= slots_.size()) return nullptr;
    if (alias == own_alias_ && own_.declared_low == number_low) return &own_;
    const ReceivedAlias& slot = slots_[alias];
    if (slot.topic == kNoTopic || comes_before(number_low, slot.declared_low)) return nullptr;
    return &slot;
}

}  // namespace dunlin::link
