#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/link/sent_packet.hpp>

#include <cstdint>
#include <span>

namespace dunlin::link {

// An alias is a 16-bit name, for one session, of a pair (topic, subscription): it stands in every message head.
//
// Sender's rule: an alias is declared in every packet that uses it until one of these is acknowledged, so whoever gets a
// message also knows its alias; at most one such declaration a packet. Receiver's rule: what the packet itself declared
// holds; else the latest declaration, unless the packet is older than it. So an alias may get a new meaning at any time.
struct SentAlias {
    SubscriptionId subscription{};
    std::uint32_t declared_low = 0;  // number of the first packet that declared it
    TopicIndex topic = kNoTopic;
    bool acked : 1 = false;
    bool in_flight : 1 = false;  // declared in a packet whose fate is open
    bool recent : 1 = false;     // used since the clock hand last passed
};

class SentAliases {
  public:
    explicit SentAliases(std::span<SentAlias> slots) : slots_(slots) { clear(); }
    void clear();
    [[nodiscard]] std::uint16_t find(TopicIndex topic, SubscriptionId subscription);  // kNoAlias. O(slots)
    // Gives the pair an alias, in packet `number`: a free one, else one not used for a while (second chance). Only before
    // any alias was used in that packet, unless `free_only`. kNoAlias: none.
    [[nodiscard]] std::uint16_t assign(TopicIndex topic, SubscriptionId subscription, std::uint32_t number_low, bool free_only);
    [[nodiscard]] bool acked(std::uint16_t alias) const { return slots_[alias].acked; }
    [[nodiscard]] bool in_flight(std::uint16_t alias) const { return slots_[alias].in_flight; }
    void declared(std::uint16_t alias) { slots_[alias].in_flight = true; }
    void on_packet_acked(const SentPacket& packet);
    void on_packet_lost(const SentPacket& packet);

  private:
    std::span<SentAlias> slots_;
    std::uint16_t hand_ = 0;
    std::uint16_t last_found_ = 0;
};

struct ReceivedAlias {
    SubscriptionId subscription{};
    std::uint32_t declared_low = 0;  // number of the latest packet that declared it
    TopicIndex topic = kNoTopic;     // kNoTopic: never declared in this session
};

class ReceivedAliases {
  public:
    explicit ReceivedAliases(std::span<ReceivedAlias> slots) : slots_(slots) { clear(); }
    void clear();
    [[nodiscard]] bool fits(std::uint16_t alias) const { return alias < slots_.size(); }
    // `number`: of the packet being read. An older declaration than the one known holds for that packet alone.
    void declare(std::uint16_t alias, std::uint32_t number_low, TopicIndex topic, SubscriptionId subscription);
    // What the alias means in packet `number`; null: nothing that may be believed.
    [[nodiscard]] const ReceivedAlias* find(std::uint16_t alias, std::uint32_t number_low) const;

  private:
    std::span<ReceivedAlias> slots_;
    ReceivedAlias own_{};  // declared by the packet being read
    std::uint16_t own_alias_ = kNoAlias;
};

}  // namespace dunlin::link
