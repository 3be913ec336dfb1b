#pragma once

#include <dunlin/link/link.hpp>
#include <dunlin/link/link_memory.hpp>
#include <dunlin/wire/packet_reader.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dunlin::link {

inline constexpr Limits kTestLimits{.outbox_bytes = 64 * 1024,
                                    .outbox_messages = 512,
                                    .deliveries = 512,
                                    .lanes = 3,
                                    .inbox_bytes = 16 * 1024,
                                    .inbox_messages = 128,
                                    .packets_in_flight_per_peer = 16};
inline constexpr SubscriptionId kVolatile{7};
inline constexpr SubscriptionId kOther{8};
inline constexpr SubscriptionId kDurable = durable_subscription(7);

struct Delivered {
    std::uint64_t sequence;
    SubscriptionId subscription;
    std::string topic;
    std::string payload;
    std::uint16_t stream_tag;
    bool maybe_repeated;
    Token token;
    Lane lane;
};

// Everything that one node has around one link: what node/ and bus/ would do, done by hand.
template <Limits L>
class EndpointOf {
  public:
    // `lanes`: of those that L has memory for.
    explicit EndpointOf(NodeId id, std::uint64_t seed, const LinkSelf& identity = {}, std::size_t lanes = 1)
        : random(seed), events(event_slots, counters), outbox(boxes.outbox_storage()), inbox(boxes.inbox_storage()), self(identity) {
        self.id = id;
        if (self.epoch == BootEpoch{}) self.epoch = BootEpoch{1};
        self.instance = InstanceId{random.next_nonzero_u64()};
        self.cluster_name = "test";
        sink.intern = {[](void* self_, std::string_view name) { return static_cast<EndpointOf*>(self_)->intern(name); }, this};
        sink.topic_name = {
            [](void* self_, TopicIndex topic) { return std::string_view(static_cast<EndpointOf*>(self_)->topics[topic.value()]); }, this};
        sink.deliver = {[](void* self_, const InboundMessage& message) { return static_cast<EndpointOf*>(self_)->deliver(message); }, this};
        LinkStorage storage = arrays.storage();
        storage.ends = storage.ends.first(lanes * sizeof(LaneEnds));
        link = std::make_unique<Link>(storage, shared, PeerIndex{0});
    }
    EndpointOf(const EndpointOf&) = delete;

    TopicIndex intern(std::string_view name) {
        for (std::size_t i = 0; i < topics.size(); ++i) {
            if (topics[i] == name) return TopicIndex{static_cast<std::uint16_t>(i)};
        }
        if (topics.size() >= topics_max) return kNoTopic;
        topics.emplace_back(name);
        return TopicIndex{static_cast<std::uint16_t>(topics.size() - 1)};
    }

    Disposition deliver(const InboundMessage& message) {
        delivered.push_back({message.sequence.value(), message.subscription, topics.at(message.topic.value()),
                             std::string(reinterpret_cast<const char*>(message.payload.data()), message.payload.size()), message.stream_tag,
                             message.maybe_repeated, message.blocks.token, message.lane});
        return handler ? handler(message) : Disposition::accepted;
    }

    struct Publish {
        std::string topic = "t";
        SubscriptionId subscription = kVolatile;
        Duration lifetime{};
        std::optional<Token> token{};
        JournalSequence gate{};
        Lane lane = Lane::normal;
    };
    // The delivery's slot, or nothing where the outbox or the window is full.
    std::optional<std::uint16_t> publish(Instant now, const std::string& payload, const Publish& how) {
        OutboxPut put{.topic = intern(how.topic), .payload = std::as_bytes(std::span(payload))};
        if (how.lifetime > Duration{0}) put.expires = now + how.lifetime;
        if (how.token) {
            put.blocks.fenced = true;
            put.blocks.lease = LeaseKey{5};
            put.blocks.token = *how.token;
        }
        const auto message = outbox.put(put);
        if (!message.ok()) return std::nullopt;
        const auto delivery = outbox.add_delivery(message.value(), PeerIndex{0}, link->peer_id(), how.subscription);
        if (!delivery.ok() || link->sender(link->lane_towards(how.lane)).enqueue(now, delivery.value()) != Status::ok) {
            outbox.abandon(message.value());
            return std::nullopt;
        }
        outbox.set_gate(message.value(), how.gate);
        return delivery.value();
    }
    std::optional<std::uint16_t> publish(Instant now, const std::string& payload) { return publish(now, payload, Publish{}); }

    std::vector<OutcomeReport> outcomes() {
        std::vector<OutcomeReport> all;
        for (OutcomeReport report; outbox.poll(report);) all.push_back(report);
        return all;
    }

    // One datagram in, as node/ does it. False: dropped.
    bool receive(Instant now, PathId path, std::span<const std::byte> bytes) {
        auto reader = wire::PacketReader::open(bytes, counters);
        if (!reader) return false;
        if (reader->header().session() == 0) {
            hello_result = link->on_hello_packet(now, path, voter_storage, *reader);
            return true;
        }
        if (!link->accept(now, path, reader->header())) return false;
        for (wire::Record record; reader->next(record);) link->on_record(now, record);
        link->packet_done(now, bytes.size(), false, true);
        return true;
    }

    // The next packet out; empty: none.
    std::vector<std::byte> send(Instant now, PathId& path) {
        std::vector<std::byte> buffer(self.packet_bytes_max);
        if (const std::size_t bytes = link->write_handshake(now, buffer, path); bytes > 0) {
            buffer.resize(bytes);
            return buffer;
        }
        if (const std::size_t bytes = link->write_size_probe(now, buffer, path); bytes > 0) {
            buffer.resize(bytes);
            return buffer;
        }
        if (!link->wants_to_send(now)) return {};
        path = link->session_path();
        auto writer = link->begin_packet(buffer);
        link->write_control(now, writer);
        link->write_lane(now, writer);
        buffer.resize(link->finish_packet(now, writer, false));
        return buffer;
    }

    // A sign of life that asks for no ack, as membership/ sends; longer by so many bytes.
    std::vector<std::byte> heartbeat(Instant now, std::size_t longer = 0) {
        if (!link->session_open()) return {};
        std::vector<std::byte> buffer(self.packet_bytes_max);
        auto writer = link->begin_packet(buffer);
        link->write_control(now, writer);
        (void)writer.record(wire::RecordType::heartbeat, wire::Heartbeat(1, 200'000, 0), std::vector<std::byte>(longer));
        buffer.resize(link->finish_packet(now, writer, false));
        return buffer;
    }

    Counters counters;
    Random random;
    std::array<Event, 64> event_slots{};
    EventQueue events;
    BoxArrays<L> boxes;
    LinkArrays<L> arrays;
    Outbox outbox;
    Inbox inbox;
    LinkSelf self;
    InboundSink sink;
    LinkShared shared{self, outbox, inbox, counters, random, events, sink};
    std::unique_ptr<Link> link;
    std::vector<std::string> topics;
    std::size_t topics_max = 1000;
    std::vector<Delivered> delivered;
    std::function<Disposition(const InboundMessage&)> handler;
    HelloResult hello_result = HelloResult::ignored;
    StorageId voter_storage{};  // what this end knows of the other
};

using Endpoint = EndpointOf<kTestLimits>;

}  // namespace dunlin::link
