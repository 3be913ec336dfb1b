#include <dunlin/node/node_memory.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace dunlin {
namespace {

// Node 1, whose hellos somebody refuses, saying that he knows a later epoch of it.
class RefusedHello : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(node.start(now), Status::ok);
        const auto dial = node.poll_connect();
        ASSERT_TRUE(dial.has_value());
        node.on_path(now, kPath, {.state = PathState::up, .dial = dial->id});
    }
    void refuse(std::uint32_t epoch_known) {
        std::array<std::byte, 1472> buffer{};
        const auto sent = node.poll_transmit(now, buffer);
        ASSERT_TRUE(sent.has_value());
        Counters counters;
        auto reader = wire::PacketReader::open(std::span(buffer).first(sent->bytes), counters);
        wire::Record record;
        ASSERT_TRUE(reader && reader->next(record) && record.type == wire::RecordType::hello);
        const auto reason = static_cast<std::uint8_t>(wire::RefuseReason::stale_epoch);
        const wire::HelloRefused refused(record.as<wire::Hello>().nonce(), epoch_known, reason, 0, 0);
        wire::PacketWriter writer(buffer);
        ASSERT_TRUE(writer.record(wire::RecordType::hello_refused, refused));
        const std::size_t bytes = writer.finish({wire::kMagic, wire::kVersion, 0, 0, 0, 2, 1, 1, 0, 0});
        node.on_datagram(now, kPath, {}, std::span(buffer).first(bytes));
    }
    [[nodiscard]] std::uint32_t epoch() const { return node.status(now).epoch.value(); }

    static constexpr PathId kPath{9};
    const std::array<std::string_view, 1> seeds{"9"};
    const Instant now{seconds{1000}};
    NodeMemory<limits::micro> memory;
    Node& node = memory.emplace({.id = NodeId{1}, .seeds = seeds, .instance = InstanceId{7}});
};

TEST_F(RefusedHello, makes_the_node_claim_the_next_epoch) {
    refuse(41);
    EXPECT_EQ(epoch(), 42U);
}

TEST_F(RefusedHello, with_an_epoch_that_no_node_reaches_changes_nothing_and_is_counted) {
    refuse(0xffffffff);
    EXPECT_EQ(epoch(), 1U);
    EXPECT_EQ(node.counters().get(Counter::identity_conflicts), 1U);
}

}  // namespace
}  // namespace dunlin
