// A peer that had nothing to send is not asked again until something happens: so whatever happens must be known to.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Disk;
using test::Host;
using test::Listener;
using test::NodeWorld;

constexpr Limits kVoter = limits::voter_min;
constexpr std::size_t kVoterDiskBytes = journal_device_bytes_min<kVoter>();

Disk lone_voters_disk() {
    static const std::string address = "1";
    static const std::array voters{ledger::voter_row(NodeId{1}, StorageId{101}, test::bytes_of(address))};
    return NodeWorld::formatted_disk(1, kVoterDiskBytes, kVoter.journal_buffer_bytes,
                                     ledger::Bootstrap{.incarnation = ClusterIncarnation{7}, .limits = kVoter.ledger, .voters = voters});
}

// The member 2 of the voter 1's cluster, in a moment in which it has nothing to say to the voter, nor to the member 3, and knows so.
class AskedAgain : public testing::Test {
  protected:
    AskedAgain() {
        EXPECT_TRUE(listening.node->subscribe("t", bus::Handler::of(listener)).ok());
        EXPECT_TRUE(member.node->subscribe("to/2", bus::Handler::of(own_listener)).ok());
        world.run_for(seconds{10});
        be_quiet();
    }
    // A whole turn of its loop, within this instant.
    void be_quiet() {
        for (int i = 0; i < 100 && speaks(member); ++i) world.run_for(microseconds{100});
        ASSERT_FALSE(speaks(member));
        ASSERT_GT(member.node->next_deadline(), world.now);
    }
    bool speaks(Host& host) {
        std::array<std::byte, 1472> buffer{};
        return host.node->poll_transmit(world.now, buffer).has_value();
    }

    NodeWorld world;
    Disk disk = lone_voters_disk();
    Listener listener;
    Listener own_listener;
    Host& voter = world.add<kVoter>(1, {}, &disk);
    Host& member = world.add<limits::micro>(2, {"1"});
    Host& listening = world.add<limits::micro>(3, {"1", "2"});
};

TEST_F(AskedAgain, says_what_is_published) {
    ASSERT_EQ(world.publish(member, "t", "x"), Status::ok);
    EXPECT_TRUE(speaks(member));
    EXPECT_FALSE(speaks(member));
}

TEST_F(AskedAgain, says_what_it_subscribes_to_and_what_no_longer) {
    const auto subscription = member.node->subscribe("u", bus::Handler::of(own_listener));
    ASSERT_TRUE(subscription.ok());
    EXPECT_TRUE(speaks(member));
    world.run_for(seconds{1});
    be_quiet();
    ASSERT_EQ(member.node->unsubscribe(subscription.value()), Status::ok);
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_what_it_asks_of_the_voters) {
    ASSERT_TRUE(member.node->put(world.now, "key", test::bytes_of("v")).ok());
    EXPECT_TRUE(speaks(member));
    world.run_for(seconds{1});
    be_quiet();
    ASSERT_TRUE(member.node->get(world.now, "key").ok());
    EXPECT_TRUE(speaks(member));
    world.run_for(seconds{1});
    be_quiet();
    ASSERT_TRUE(member.node->transfer_leadership(world.now, NodeId{1}).ok());
    EXPECT_TRUE(speaks(member));
    world.run_for(seconds{1});
    be_quiet();
    ledger::MemberCommand command;
    command.change.node = 1;
    command.change.op = static_cast<std::uint8_t>(consensus::ChangeOp::demote);
    ASSERT_TRUE(member.node->change_member(world.now, command).ok());
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_that_it_wants_a_lease_and_gives_it_back) {
    const auto lease = member.node->acquire_lease(world.now, "l", seconds{5});
    ASSERT_TRUE(lease.ok());
    world.run_for(seconds{1});
    ASSERT_TRUE(member.node->lease(lease.value()).valid_for(world.now, seconds{1}));
    be_quiet();
    member.node->release_lease(world.now, lease.value());
    member.node->on_timeout(world.now);
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_what_a_handler_decides_later) {
    std::optional<bus::CompletionId> waiting;
    auto later = [&waiting](const bus::Message& message) {
        waiting = message.completion;
        return bus::Verdict::pending;
    };
    ASSERT_TRUE(member.node->subscribe("later", bus::Handler::of(later)).ok());
    world.run_for(seconds{1});
    ASSERT_EQ(world.publish(listening, "later", "x"), Status::ok);
    world.run_for(seconds{1});
    ASSERT_TRUE(waiting.has_value());
    be_quiet();
    ASSERT_EQ(member.node->complete(world.now, *waiting, bus::Verdict::accept), Status::ok);
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, answers_a_packet) {
    const std::size_t heard = own_listener.heard.size();
    ASSERT_EQ(world.publish(listening, "to/2", "x"), Status::ok);
    std::array<std::byte, 1472> buffer{};
    const auto packet = listening.node->poll_transmit(world.now, buffer);
    ASSERT_TRUE(packet.has_value());
    member.node->on_datagram(world.now, PathId{3}, {}, std::span(buffer).first(packet->bytes));
    ASSERT_EQ(own_listener.heard.size(), heard + 1);
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_what_a_path_had_no_room_for) {
    member.node->on_path(world.now, PathId{3}, {.state = PathState::blocked});
    ASSERT_EQ(world.publish(member, "t", "x"), Status::ok);
    ASSERT_FALSE(speaks(member));
    member.node->on_path(world.now, PathId{3}, {.state = PathState::writable});
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_goodbye) {
    member.node->shutdown(world.now);
    EXPECT_TRUE(speaks(member));
}

TEST_F(AskedAgain, says_what_time_brings) {
    const Instant deadline = member.node->next_deadline();
    ASSERT_LT(deadline, kNever);
    bool spoke = false;
    for (int i = 0; i < 100 && !spoke; ++i) {
        world.now = std::max(world.now, member.node->next_deadline());
        member.node->on_timeout(world.now);
        spoke = speaks(member);
    }
    EXPECT_TRUE(spoke);
}

// What was promised to a publisher, and what a voter acknowledges, waits for the journal.
TEST_F(AskedAgain, says_what_became_durable) {
    voter.disk_delay = milliseconds{5};
    ASSERT_TRUE(member.node->put(world.now, "key", test::bytes_of("v")).ok());
    const std::size_t events = member.events.size();
    world.run_for(milliseconds{50});
    EXPECT_GT(member.events.size(), events);
}

}  // namespace
}  // namespace dunlin
