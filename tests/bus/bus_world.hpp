#pragma once

#include "journal/memory_device.hpp"

#include <dunlin/bus/bus.hpp>
#include <dunlin/bus/bus_memory.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/link/link_memory.hpp>
#include <dunlin/wire/packet_reader.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::bus::test {

inline constexpr Limits kLimits{.peers = 3,
                                .topics = 8,
                                .topic_bytes_max = 32,
                                .local_subscriptions = 4,
                                .remote_subscriptions = 4,
                                .outbox_bytes = 1536,
                                .outbox_messages = 8,
                                .deliveries = 16,
                                .message_bytes_max = 256,
                                .fences = 2,
                                .explicit_keys = 4,
                                .journal_buffer_bytes = 2048};

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }
inline std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Packet {
    NodeId from{};
    NodeId to{};
    std::vector<std::byte> bytes;
};

// One process of one member: a bus, a link to every other member, and the journal where there is a device. What node/
// does around them, and nothing else. Peer slot i is node i + 1.
class Member {
  public:
    Member(NodeId id, std::uint32_t epoch, journal::test::MemoryDevice* device, std::uint64_t seed);

    // A first journal on the device. Before anything else.
    void format();
    // What the journal holds, into this process. Before anything else.
    Status recover(Instant now);
    void dial(Instant now, NodeId peer) { link(peer).dial(now, PathId{peer.value()}); }
    [[nodiscard]] link::Link& link(NodeId node) { return *links_[node.value() - 1U]; }

    // Completes every operation of the journal.
    void sync();
    bool step_journal();
    void compact(Instant now);
    void write_checkpoint(Instant now);  // from begin_checkpoint() to its end
    void receive(Instant now, const Packet& packet);
    void transmit(Instant now, std::deque<Packet>& out);
    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now);
    void poll_outcomes();
    // The one outcome told of this publish; of kind none where there is none, or more than one.
    [[nodiscard]] Event outcome_of(PublishId publish) const;

    NodeId id;
    bool auto_sync = true;
    bool auto_poll = true;
    std::vector<Event> outcomes;
    Counters counters;

  private:
    PeerIndex index_of(NodeId node) const { return PeerIndex{static_cast<std::uint16_t>(node.value() - 1U)}; }
    void take_news(PeerIndex peer);
    void store_watermarks(Instant now);
    [[nodiscard]] BusStorage bus_storage();
    Status emit(journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second);
    void note_durable(Instant now);

    journal::test::MemoryDevice* device_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(kLimits.journal_buffer_bytes);
    std::vector<Event> event_slots_ = std::vector<Event>(16);
    Random random_;

  public:
    EventQueue events{event_slots_, counters};
    journal::Journal journal{{.buffer = buffer_}, counters};

  private:
    link::BoxArrays<kLimits> boxes_{};
    link::LinkSelf self_{};
    link::InboundSink sink_{};

  public:
    link::Outbox outbox{boxes_.outbox_storage()};
    link::Inbox inbox{boxes_.inbox_storage()};

  private:
    link::LinkShared shared_{self_, outbox, inbox, counters, random_, events, sink_};
    std::array<link::LinkArrays<kLimits>, kLimits.peers> link_arrays_{};
    std::array<std::unique_ptr<link::Link>, kLimits.peers> links_{};
    BusArrays<kLimits> arrays_{};

  public:
    Bus bus;
};

// Members over a wire in memory that may lose packets. Time is virtual.
class World {
  public:
    explicit World(std::uint64_t seed = 1) : random_(seed) {}

    // Starts a process of node `id`; one that is there dies without a word. `durable`: it has a journal.
    Member& start(std::uint16_t id, bool durable = false);
    void kill(std::uint16_t id);
    [[nodiscard]] Member& operator[](std::uint16_t id) { return *members_.at(id); }
    void run_for(Duration time);
    // Until nothing is under way at this instant.
    void settle();

    Instant now = Instant{} + seconds{1};
    std::uint64_t loss_percent = 0;

  private:
    Random random_;
    std::map<std::uint16_t, std::unique_ptr<Member>> members_;
    std::map<std::uint16_t, std::unique_ptr<journal::test::MemoryDevice>> devices_;
    std::map<std::uint16_t, std::uint32_t> epochs_;
    std::deque<Packet> wire_;
};

// Notes what it is given, and answers what it is told to.
struct Listener {
    Verdict verdict = Verdict::accept;
    std::vector<std::string> heard;
    std::vector<Message> messages;  // topic and payload are gone
    Verdict operator()(const Message& message) {
        heard.push_back(std::string(message.topic) + "=" + text_of(message.payload));
        messages.push_back(message);
        return verdict;
    }
    [[nodiscard]] Handler handler() { return Handler::of(*this); }
};

}  // namespace dunlin::bus::test
