// Bootstrap: who belongs to a cluster.
#include <sim/small_cluster.hpp>

#include <dunlin/node/records.hpp>

#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

StatusReport status(SmallCluster& cluster, std::size_t process) {
    return cluster.world.node(process).status(cluster.world.local_now(process));
}

consteval Limits with_one_lease_more() {
    Limits limits = kSimVoter;
    ++limits.ledger.leases;
    return limits;
}

TEST(Bootstrap, a_voter_of_other_limits_stops_and_the_others_go_on_without_it) {
    SmallCluster cluster(1, 3);
    cluster.world.process(2).setup.memory = holder_of<with_one_lease_more()>();
    cluster.world.start(0);
    cluster.world.start(2);
    ASSERT_TRUE(cluster.world.run_until([&] { return status(cluster, 2).replica == Status::invalid_argument; }, seconds{10}));
    EXPECT_EQ(status(cluster, 2).role, consensus::Role::member);
    EXPECT_EQ(status(cluster, 0).commit, LogIndex{0});  // nor did it acknowledge an entry
    cluster.world.start(1);
    cluster.world.run_for(seconds{5});
    ASSERT_LT(cluster.leader(), 2U);
    EXPECT_GT(status(cluster, 0).commit, LogIndex{0});
    cluster.world.crash(cluster.leader());  // it votes for nobody: one of three is no majority
    cluster.world.run_for(seconds{5});
    EXPECT_EQ(cluster.leader(), cluster.world.size());
}

// Two clusters of one name: 0 alone, and 1 with 2, which met the first before its own.
TEST(Bootstrap, two_of_one_name_never_become_one_cluster) {
    SmallCluster cluster(2, 1);
    for (int i = 0; i < 2; ++i) cluster.add(journal_device_bytes_min<kSimVoter>(), {});
    cluster.world.process(2).setup.memory = cluster.world.process(1).setup.memory = holder_of<kSimVoter>();
    cluster.world.found_cluster(std::vector<std::size_t>{1, 2}, kSimVoter.ledger);
    cluster.world.process(1).setup.seeds = {2};
    cluster.world.start(0);
    cluster.world.start(2);
    cluster.world.run_for(seconds{2});
    const ClusterIncarnation first = status(cluster, 0).cluster;
    ASSERT_EQ(status(cluster, 2).cluster, first);
    cluster.world.start(1);
    cluster.world.run_for(seconds{5});
    EXPECT_NE(status(cluster, 1).cluster, first);
    EXPECT_EQ(status(cluster, 1).sessions_open, 0U);
    EXPECT_EQ(status(cluster, 1).commit, LogIndex{0});  // the vote of 2 was never asked
    EXPECT_EQ(status(cluster, 2).cluster, first);
    EXPECT_EQ(status(cluster, 2).last_index, LogIndex{0});
    EXPECT_GT(cluster.world.node(1).counters().get(Counter::packets_foreign_cluster) +
                  cluster.world.node(2).counters().get(Counter::packets_foreign_cluster),
              0U);
}

TEST(Bootstrap, a_member_refuses_the_journal_of_a_voter) {
    SmallCluster cluster(4, 1);
    cluster.world.process(0).setup.memory = holder_of<kSimMember>();
    cluster.world.start(0);
    cluster.world.run_for(seconds{1});
    EXPECT_EQ(status(cluster, 0).state, RunState::failed);
}

TEST(Bootstrap, a_node_whose_log_and_binding_name_two_clusters_fails) {
    SmallCluster cluster(3, 1);
    Disk& disk = cluster.world.process(0).disk;
    std::vector<std::byte> buffer(2048);
    Counters counters;
    journal::Journal journal({buffer}, counters);
    const auto step = [&] {
        const auto op = journal.poll_op();
        if (!op) return false;
        std::size_t bytes = 0;
        const Status done = disk.run(*op, bytes);
        journal.on_complete(op->id, done, bytes);
        return true;
    };
    // What `init` wrote, again, but for the binding.
    const BindRecord other = bind_record(ClusterIncarnation{12345});
    std::vector<std::pair<journal::RecordKind, std::vector<std::byte>>> records;
    journal.open(cluster.world.process(0).setup.disk_bytes);
    while (journal.state() == journal::State::recovering) {
        for (journal::RecoveredRecord record; journal.next_recovered(record);) {
            records.emplace_back(record.kind, std::vector<std::byte>(record.bytes.begin(), record.bytes.end()));
            if (record.kind == journal::RecordKind::bind) std::memcpy(records.back().second.data(), &other, sizeof(other));
        }
        static_cast<void>(step());
    }
    journal.begin_checkpoint();
    while (!journal.checkpoint_takes_records()) ASSERT_TRUE(step());
    for (const auto& [kind, bytes] : records) ASSERT_EQ(journal.checkpoint_append(kind, bytes), Status::ok);
    journal.finish_checkpoint();
    while (step()) {}
    cluster.world.start_all();
    cluster.world.run_for(seconds{1});
    ASSERT_EQ(status(cluster, 0).state, RunState::failed);
    ASSERT_FALSE(cluster.recorder(0).events.empty());
    EXPECT_EQ(cluster.recorder(0).events.back().status, Status::foreign_cluster);
}

}  // namespace
}  // namespace dunlin::sim
