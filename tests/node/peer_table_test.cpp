#include <dunlin/node/peer_table.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dunlin {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

struct PeerTableTest : testing::Test {
    std::array<PeerSlot, 3> slots{};
    PeerTable table{slots};
    Instant now{seconds{10}};
};

TEST_F(PeerTableTest, gives_each_slot_once_and_then_says_that_it_is_full) {
    for (int i = 0; i < 3; ++i) EXPECT_NE(table.take(), kNoPeer);
    EXPECT_EQ(table.take(), kNoPeer);
    table.release(PeerIndex{1});
    EXPECT_EQ(table.take(), PeerIndex{1});
}

TEST_F(PeerTableTest, finds_a_peer_by_its_node_and_a_silent_seed_by_its_path) {
    const PeerIndex seed = table.take();
    const PeerIndex named = table.take();
    table[seed].phase = PathPhase::up;
    table[seed].path = PathId{5};
    table[named].node = NodeId{7};
    EXPECT_EQ(table.find(NodeId{7}), named);
    EXPECT_EQ(table.find(NodeId{8}), kNoPeer);
    EXPECT_EQ(table.find_unnamed(PathId{5}), seed);
    table[seed].node = NodeId{8};
    EXPECT_EQ(table.find_unnamed(PathId{5}), kNoPeer);
}

TEST_F(PeerTableTest, asks_for_each_address_once_and_again_with_growing_pauses_when_refused) {
    const PeerIndex peer = table.take();
    table.set_address(now, peer, bytes("a:1"));
    Duration pause{};
    for (int attempt = 0; attempt < 10; ++attempt) {
        const auto dial = table.poll_dial(now);
        ASSERT_TRUE(dial.has_value());
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(dial->address.data()), dial->address.size()), "a:1");
        EXPECT_FALSE(table.poll_dial(now).has_value());
        EXPECT_EQ(table.find_dial(dial->id), peer);
        table.path_down(now, peer);
        EXPECT_GE(table.next_deadline() - now, pause);
        pause = table.next_deadline() - now;
        EXPECT_LE(pause, seconds{10});
        EXPECT_FALSE(table.poll_dial(now).has_value());
        now = table.next_deadline();
    }
    EXPECT_EQ(pause, seconds{10});
}

TEST_F(PeerTableTest, never_dials_a_peer_without_an_address) {
    const PeerIndex peer = table.take();
    table.path_down(now, peer);
    EXPECT_EQ(table.next_deadline(), kNever);
    EXPECT_FALSE(table.poll_dial(now + seconds{100}).has_value());
}

}  // namespace
}  // namespace dunlin
