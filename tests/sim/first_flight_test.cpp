#include <sim/small_cluster.hpp>

#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

Status publish(SmallCluster& cluster, std::size_t from, std::string_view topic, std::string_view payload) {
    bus::PublishOptions options;
    options.topic = topic;
    options.payload = bytes_of(payload);
    const Status status = cluster.world.node(from).publish(cluster.world.local_now(from), options).status();
    cluster.world.touch(from);
    return status;
}

TEST(FirstFlight, three_voters_elect_one_leader_and_replace_it_when_it_crashes) {
    SmallCluster cluster(1, 3);
    cluster.world.start_all();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    const std::size_t first = cluster.leader();
    cluster.world.run_for(seconds{2});
    EXPECT_EQ(cluster.leader(), first);
    cluster.world.crash(first);
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    EXPECT_NE(cluster.leader(), first);
    cluster.world.restart(first);
    cluster.world.run_for(seconds{3});
    EXPECT_EQ(cluster.world.node(first).status(cluster.world.local_now(first)).role, consensus::Role::follower);
}

TEST(FirstFlight, a_member_puts_and_gets_a_key_and_holds_a_lease) {
    SmallCluster cluster(2, 3);
    const std::size_t member = cluster.add(0, {});
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    Node& node = cluster.world.node(member);
    ASSERT_TRUE(node.put(cluster.world.local_now(member), "mode", bytes_of("auto")).ok());
    cluster.world.touch(member);
    const auto done = [&] {
        for (const Event& event : cluster.recorder(member).events) {
            if (event.kind == EventKind::request_done) return event.status == Status::ok;
        }
        return false;
    };
    ASSERT_TRUE(cluster.world.run_until(done, seconds{5}));
    const auto lease = node.acquire_lease(cluster.world.local_now(member), "valve", seconds{2});
    ASSERT_TRUE(lease.ok());
    cluster.world.touch(member);
    ASSERT_TRUE(cluster.world.run_until([&] { return node.lease(lease.value()).state == ledger::LeaseState::held; }, seconds{5}));
    cluster.world.run_for(seconds{10});
    EXPECT_TRUE(node.lease(lease.value()).valid_for(cluster.world.local_now(member), milliseconds{100}));
}

TEST(FirstFlight, a_thousand_messages_arrive_once_and_in_order_under_loss) {
    SmallCluster cluster(3, 1);
    const std::size_t publisher = cluster.add(0, {});
    const std::size_t subscriber = cluster.add(0, [] { return std::make_unique<Recorder>("valve/#"); });
    cluster.world.process(subscriber).setup.seeds = {publisher};
    cluster.world.network().faults.loss_ppm = 200'000;
    cluster.world.network().faults.duplicate_ppm = 50'000;
    cluster.world.start_all();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.world.node(publisher).subscriber_count("valve/open") == 1; }, seconds{20}));
    for (int sent = 0; sent < 1000;) {
        const Status status = publish(cluster, publisher, "valve/open", std::to_string(sent));
        if (status == Status::ok) ++sent;
        cluster.world.run_for(milliseconds{2});
    }
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.recorder(publisher).outcomes[Outcome::acknowledged] == 1000; }, seconds{60}));
    ASSERT_EQ(cluster.recorder(subscriber).received.size(), 1000U);
    for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(cluster.recorder(subscriber).received[i], std::to_string(i));
}

TEST(FirstFlight, the_same_seed_gives_the_same_run) {
    const auto run = [](std::uint64_t seed) {
        SmallCluster cluster(seed, 3);
        cluster.world.network().faults.loss_ppm = 100'000;
        cluster.world.start_all();
        cluster.world.run_for(seconds{10});
        return cluster.world.hash();
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

}  // namespace
}  // namespace dunlin::sim
