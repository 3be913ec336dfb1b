// Nodes with journals, and what a restart or a slow disk must not cost.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Disk;
using test::Host;
using test::Listener;
using test::NodeWorld;

constexpr std::size_t kDiskBytes = 512 * 1024;

// `small` as it is, but for what a voter has besides.
constexpr Limits kSmallMember = [] {
    Limits limits = limits::small;
    limits.voter = false;
    return limits;
}();

Disk disk_of(std::uint16_t id) { return NodeWorld::formatted_disk(id, kDiskBytes, kSmallMember.journal_buffer_bytes); }

TEST(DurableNode, settles_what_as_many_publishers_send_as_it_has_room_for) {
    NodeWorld world;
    Disk disk = disk_of(1);
    Host& receiver = world.add<kSmallMember>(1, {}, &disk);
    Listener listener{.verdict = bus::Verdict::reject};
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener), {.durable_id = 5}).ok());
    std::vector<Host*> publishers;
    for (std::uint16_t i = 0; i < kSmallMember.peers; ++i)
        publishers.push_back(&world.add<limits::micro>(static_cast<std::uint16_t>(2 + i), {"1"}));
    world.run_for(seconds{3});
    receiver.disk_delay = milliseconds{20};
    constexpr std::size_t kEach = 6;
    for (Host* publisher : publishers) {
        for (std::size_t i = 0; i < kEach; ++i) ASSERT_EQ(world.publish(*publisher, "t", "x"), Status::ok);
    }
    world.run_for(seconds{30});
    for (const Host* publisher : publishers) EXPECT_EQ(publisher->outcomes(), kEach) << publisher->id;
}

}  // namespace
}  // namespace dunlin
