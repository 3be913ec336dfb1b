#include <sim/small_cluster.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace dunlin::sim {
namespace {

TEST(World, gives_each_life_of_a_process_a_later_epoch) {
    SmallCluster cluster(1, 1);
    cluster.world.start_all();
    const auto epoch = [&] { return cluster.world.node(0).status(cluster.world.local_now(0)).epoch; };
    ASSERT_TRUE(cluster.world.run_until([&] { return epoch() == BootEpoch{1}; }, seconds{1}));
    cluster.world.crash(0);
    EXPECT_FALSE(cluster.world.running(0));
    cluster.world.run_for(seconds{1});
    cluster.world.restart(0);
    ASSERT_TRUE(cluster.world.run_until([&] { return epoch() == BootEpoch{2}; }, seconds{1}));
}

TEST(World, lets_a_paused_process_miss_its_time_and_find_what_came_meanwhile) {
    SmallCluster cluster(1, 3);
    cluster.world.start_all();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    cluster.world.run_for(seconds{1});  // the voters have met each other
    const std::size_t leader = cluster.leader();
    const std::uint32_t heard = cluster.world.node(leader).counters().get(Counter::packets_received);
    cluster.world.pause(leader);
    cluster.world.run_for(seconds{3});
    EXPECT_EQ(cluster.world.node(leader).counters().get(Counter::packets_received), heard);
    cluster.world.resume(leader);
    cluster.world.run_for(seconds{3});
    EXPECT_GT(cluster.world.node(leader).counters().get(Counter::packets_received), heard);
    EXPECT_EQ(cluster.world.node(leader).status(cluster.world.local_now(leader)).role, consensus::Role::follower);
}

TEST(World, lets_a_clock_stand_still_and_go_on) {
    SmallCluster cluster(1, 3);
    World& world = cluster.world;
    world.start_all();
    ASSERT_TRUE(world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    const std::size_t leader = cluster.leader();
    const Term term = world.node(leader).status(world.local_now(leader)).term;
    const Instant shown = world.local_now(leader);
    world.freeze_clock(leader);
    world.run_for(seconds{5});  // it sends no heartbeat
    EXPECT_EQ(world.local_now(leader), shown);
    EXPECT_GT(world.node((leader + 1) % 3).status(world.local_now((leader + 1) % 3)).term, term);
    world.thaw_clock(leader);
    world.run_for(seconds{5});
    const Duration behind = shown + seconds{5} - world.local_now(leader);
    EXPECT_LT(std::max(behind, -behind), milliseconds{10});  // it runs at its own rate
    const std::size_t next = cluster.leader();
    ASSERT_LT(next, 3U);
    EXPECT_EQ(world.node(leader).status(world.local_now(leader)).term, world.node(next).status(world.local_now(next)).term);
}

TEST(World, lets_a_process_die_inside_a_handler_so_that_nothing_of_it_leaves) {
    SmallCluster cluster(1, 1);
    const auto subscriber = cluster.add(journal_device_bytes_min<kSimVoter>(), [] { return std::make_unique<Recorder>("t", 1); });
    cluster.world.format_member(subscriber);
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    const auto publish = [&] {
        const auto sent = cluster.world.node(0).publish(cluster.world.local_now(0), {.topic = "t", .payload = bytes_of("x")});
        ASSERT_TRUE(sent.ok());
        cluster.world.touch(0);
    };
    publish();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.recorder(subscriber).received.size() == 1; }, seconds{1}));
    cluster.world.run_for(seconds{1});
    cluster.recorder(subscriber).on_message = [&] { cluster.world.crash_here(subscriber); };
    publish();
    cluster.world.run_for(seconds{1});
    EXPECT_FALSE(cluster.world.running(subscriber));
    EXPECT_EQ(cluster.recorder(0).outcomes[Outcome::acknowledged], 1);
    cluster.world.restart(subscriber);
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.recorder(0).outcomes[Outcome::acknowledged] == 2; }, seconds{20}));
    EXPECT_EQ(cluster.recorder(subscriber).received.size(), 1U);  // it ran again
}

TEST(World, lets_a_slow_process_and_a_slow_disk_take_their_time) {
    SmallCluster cluster(1, 3);
    cluster.world.start_all();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    cluster.world.run_for(seconds{1});
    const std::size_t leader = cluster.leader();
    const auto commit_takes = [&] {
        const Instant begin = cluster.world.now();
        const std::size_t before = cluster.recorder(leader).events.size();
        const auto put = cluster.world.node(leader).put(cluster.world.local_now(leader), "k", bytes_of("v"));
        DUNLIN_ASSERT(put.ok());
        cluster.world.touch(leader);
        const auto done = [&] {
            const auto& events = cluster.recorder(leader).events;
            return std::any_of(events.begin() + static_cast<std::ptrdiff_t>(before), events.end(),
                               [](const Event& event) { return event.kind == EventKind::request_done; });
        };
        EXPECT_TRUE(cluster.world.run_until(done, seconds{2}));
        return cluster.world.now() - begin;
    };
    static_cast<void>(commit_takes());  // opens its session
    EXPECT_LT(commit_takes(), milliseconds{10});
    for (std::size_t i = 0; i < 3; ++i) cluster.world.set_sync_stall(i, milliseconds{50});
    EXPECT_GE(commit_takes(), milliseconds{50});
    for (std::size_t i = 0; i < 3; ++i) cluster.world.set_sync_stall(i, {});
    for (std::size_t i = 0; i < 3; ++i) cluster.world.set_lag(i, milliseconds{30});
    EXPECT_GE(commit_takes(), milliseconds{60});  // there and back
}

TEST(World, lets_a_process_die_while_its_disk_syncs) {
    SmallCluster cluster(1, 1);
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    cluster.world.crash_in_next_sync(0, Unsynced::lost);
    ASSERT_TRUE(cluster.world.node(0).put(cluster.world.local_now(0), "k", bytes_of("v")).ok());
    cluster.world.touch(0);
    ASSERT_TRUE(cluster.world.run_until([&] { return !cluster.world.running(0); }, seconds{1}));
    EXPECT_GT(cluster.world.process(0).disk.lost(), 0U);
    cluster.world.restart(0);
    cluster.world.run_for(seconds{3});
    EXPECT_FALSE(cluster.world.node(0).failed());
}

TEST(World, tells_observers_nothing_of_outsiders) {
    class Witness final : public Observer {
      public:
        void on_start(Instant, std::size_t process) override { seen.insert(process); }
        void on_step(Instant, std::size_t process, const Node&) override { seen.insert(process); }
        void on_event(Instant, std::size_t process, const Node&, const Event&) override { seen.insert(process); }
        void on_crash(Instant, std::size_t process, const Node&) override { seen.insert(process); }
        std::set<std::size_t> seen;
    };
    SmallCluster cluster(1, 1);
    Witness witness;
    cluster.world.observe(witness);
    ProcessSetup setup;
    setup.options.id = NodeId{9};
    setup.options.cluster = "another";
    setup.memory = holder_of<kSimMember>();
    setup.seeds = {0};
    const std::size_t outsider = cluster.world.add_outsider(std::move(setup));
    EXPECT_EQ(cluster.world.size(), 1U);
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    EXPECT_GT(cluster.world.node(0).counters().get(Counter::packets_foreign_cluster), 0U);
    cluster.world.crash(outsider);
    EXPECT_EQ(witness.seen, std::set<std::size_t>{0});
}

TEST(World, runs_actions_at_their_time) {
    World world(1);
    std::vector<Duration> times;
    for (const Duration at : {seconds{3}, seconds{1}, seconds{2}}) world.at(Instant{at}, [&] { times.push_back(world.now() - Instant{}); });
    world.run_for(seconds{2});
    EXPECT_EQ(times, (std::vector<Duration>{seconds{1}, seconds{2}}));
    EXPECT_EQ(world.now(), Instant{seconds{2}});
}

TEST(Process, reads_a_clock_that_is_off_and_runs_at_its_own_rate) {
    for (const std::int64_t rate : {-1000, -1, 0, 1, 999}) {
        ProcessSetup setup;
        setup.clock_offset = seconds{100};
        setup.clock_rate_ppm = rate;
        const Process process(std::move(setup), 1);
        EXPECT_EQ(process.local(Instant{}), Instant{seconds{100}});
        EXPECT_EQ(process.local(Instant{seconds{1000}}), Instant{seconds{1100} + microseconds{1000 * rate}});
        for (std::int64_t us = 1; us < 1'000'000'000'000; us = us * 7 + 3) {
            const Instant shown{seconds{100} + microseconds{us}};
            const Instant first = process.true_time(shown);
            EXPECT_GE(process.local(first), shown);
            EXPECT_LT(process.local(first - Duration{1}), shown);
        }
    }
}

}  // namespace
}  // namespace dunlin::sim
