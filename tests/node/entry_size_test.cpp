// A log entry fits the packets of every voter, also of one with shorter packets than the leader's.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Disk;
using test::Host;
using test::NodeWorld;

TEST(EntrySize, is_bound_by_what_every_voter_of_these_limits_can_receive_not_by_the_leaders_own_packets) {
    constexpr Limits kLimits = limits::voter_min;
    static_assert(packet_bytes_min<kLimits>() == 576);
    const std::array voters{ledger::voter_row(NodeId{1}, StorageId{101}, test::bytes_of("1"))};
    ledger::Bootstrap bootstrap;
    bootstrap.incarnation = ClusterIncarnation{5};
    bootstrap.limits = kLimits.ledger;
    bootstrap.voters = voters;
    Disk disk = NodeWorld::formatted_disk(1, std::size_t{64} * 1024, kLimits.journal_buffer_bytes, bootstrap);
    NodeWorld world;
    Host& voter = world.add<kLimits>(1, {}, &disk);  // its packets have 1200 bytes
    constexpr Limits kMember = [] {
        Limits limits = limits::small;
        limits.voter = false;
        limits.ledger.value_bytes = 512;
        return limits;
    }();
    Host& member = world.add<kMember>(2, {"1"});
    world.run_for(seconds{1});
    ASSERT_EQ(voter.node->status(world.now).role, consensus::Role::leader);
    const auto put = [&](std::size_t bytes) {
        member.events.clear();
        EXPECT_TRUE(member.node->put(world.now, "k", test::bytes_of(std::string(bytes, 'x'))).ok());
        world.run_for(milliseconds{300});
        const auto done = std::ranges::find(member.events, EventKind::request_done, &Event::kind);
        return done != member.events.end() ? done->status : Status::busy;
    };
    EXPECT_EQ(put(kLimits.ledger.value_bytes), Status::ok);
    const LogIndex last = voter.node->status(world.now).last_index;
    EXPECT_EQ(put(512), Status::too_large);
    EXPECT_EQ(voter.node->status(world.now).last_index, last);
}

}  // namespace
}  // namespace dunlin
