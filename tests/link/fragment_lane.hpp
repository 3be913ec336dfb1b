#pragma once

#include <link/endpoint.hpp>

#include <gtest/gtest.h>
#include <wire/hex.hpp>

#include <cstring>

namespace dunlin::link {

inline constexpr Limits kLong{.outbox_bytes = 64 * 1024,
                              .outbox_messages = 64,
                              .deliveries = 64,
                              .inbox_bytes = 32 * 1024,
                              .inbox_messages = 32,
                              .message_bytes_max = 4096,
                              .packets_in_flight_per_peer = 16};
inline constexpr std::size_t kF = kFragmentBytes;
inline constexpr auto kFenceFlag = static_cast<std::uint8_t>(wire::MessageFlag::fence);
inline constexpr auto kFragmentFlag = static_cast<std::uint8_t>(wire::MessageFlag::fragment);

inline std::string text(std::size_t bytes, unsigned from = 0) {
    std::string all(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<char>('a' + (from + i / 7 + i) % 26);
    return all;
}

// A lane each way on its own, without a session: what is sent is looked at, what is received is made by hand.
struct FragmentTest : testing::Test {
    Instant now{seconds{1}};
    EndpointOf<kLong> end{NodeId{1}, 7};
    LaneSender& sender() { return end.link->sender(); }
    LaneReceiver& receiver() { return end.link->receiver(); }
    std::vector<std::byte> packet;
    SentPacket sent;
    std::uint64_t number = 0;

    void SetUp() override {
        sender().set_stream(StreamId{5});
        sender().session_opened(now, true);
        receiver().set_publisher(NodeId{2});
        receiver().session_opened(now, StreamId{9}, Sequence{1});
        for (const std::uint16_t alias : {std::uint16_t{0}, std::uint16_t{1}}) {
            const std::string name = "t";
            const wire::AliasDeclare declare(7U + alias, alias, 0);
            ASSERT_TRUE(receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(declare), std::as_bytes(std::span(name))}));
        }
    }
    // ---- sending ----
    std::string write(std::size_t bytes) {
        packet.assign(bytes, std::byte{});
        sent = {};
        wire::PacketWriter writer{std::span<std::byte>(packet)};
        sender().on_timeout(now);
        (void)sender().write_skips(writer, sent);
        (void)sender().write(now, PacketNumber{++number}, bytes, writer, sent);
        sent.number_low = static_cast<std::uint32_t>(number);
        packet.resize(writer.size());
        return test::to_hex(std::span(packet).subspan(wire::kHeaderBytes));
    }
    SentPacket declare_alias() {
        (void)end.publish(now, "x");
        (void)write(1200);
        sender().on_packet_acked(now, sent);
        return sent;
    }
    bool settle(std::uint64_t cumulative, std::uint64_t bitmap = 0, const std::vector<wire::SettlementException>& exceptions = {}) {
        std::vector<std::byte> bytes(8 + exceptions.size() * 16);
        std::memcpy(bytes.data(), &bitmap, 8);
        if (!exceptions.empty()) std::memcpy(bytes.data() + 8, exceptions.data(), exceptions.size() * 16);
        const wire::Settlement fixed(5, cumulative, 0, static_cast<std::uint8_t>(exceptions.size()), 1, 0, 0);
        return sender().on_settlement({wire::RecordType::settlement, bytes_of(fixed), bytes});
    }
    // ---- receiving ----
    struct Shape {
        std::size_t total = 0;  // of the payload
        std::size_t index = 0;
        std::uint16_t alias = 0;
        std::uint16_t lifetime_ms = 0;
        std::uint8_t flags = 0;
        bool maybe_repeated = false;
    };
    // One piece: bytes of the body from `index` on.
    static std::vector<std::byte> piece(const std::string& bytes, const Shape& shape) {
        const wire::MessageHead head(static_cast<std::uint16_t>(bytes.size()), shape.alias, shape.lifetime_ms, 0,
                                     static_cast<std::uint8_t>(kFragmentFlag | shape.flags | (shape.maybe_repeated ? 32 : 0)));
        const wire::FragmentBlock block(static_cast<std::uint16_t>(shape.total), static_cast<std::uint16_t>(shape.index));
        std::vector<std::byte> out(sizeof(head) + sizeof(block) + (bytes.size() + 3) / 4 * 4);
        std::memcpy(out.data(), &head, sizeof(head));
        std::memcpy(out.data() + sizeof(head), &block, sizeof(block));
        if (!bytes.empty()) std::memcpy(out.data() + sizeof(head) + sizeof(block), bytes.data(), bytes.size());
        return out;
    }
    bool run(std::uint64_t place, const std::vector<std::byte>& pieces, std::uint16_t count = 1) {
        const wire::Run head(place, 1, 0, 0, count, 0);
        return receiver().on_run(now, 1, {wire::RecordType::run, bytes_of(head), pieces});
    }
    // Fragments [index, index + count) of the message that begins at `first`.
    bool give(std::uint64_t first, const std::string& body, std::size_t index, std::size_t count = 1) {
        const std::string bytes = body.substr(index * kF, count * kF);
        return run(first + index, piece(bytes, {.total = body.size(), .index = index}));
    }
    bool skip(std::uint64_t first, std::uint32_t count, bool answer, std::uint16_t each = 0) {
        const wire::Skip record(first, count, 0, answer ? 1 : 0, each);
        return receiver().on_skip(now, {wire::RecordType::skip, bytes_of(record), {}});
    }
    [[nodiscard]] Sequence settled() { return receiver().settlements().live().cumulative(); }
};

}  // namespace dunlin::link
