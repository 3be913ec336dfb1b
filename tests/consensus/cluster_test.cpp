#include "consensus/cluster.hpp"

#include <gmock/gmock.h>

#include <iostream>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;

TEST(Cluster, elects_one_leader_and_commits_on_every_voter) {
    Cluster cluster(3, 1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.voter(cluster.leader()).committed_in_term(); }));
    EXPECT_TRUE(cluster.propose());
    cluster.run(milliseconds{300});
    EXPECT_TRUE(cluster.converged());
    EXPECT_EQ(cluster.committed(), 3U);  // bootstrap, no-op, command
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Cluster, of_one_voter_leads_and_commits_alone) {
    Cluster cluster(1, 1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.voter(0).committed_in_term(); }, milliseconds{100}));
    EXPECT_TRUE(cluster.propose());
    cluster.run(milliseconds{50});
    EXPECT_EQ(cluster.committed(), 3U);
    cluster.crash(0);
    cluster.restart(0);
    cluster.run(milliseconds{100});
    EXPECT_EQ(cluster.committed(), 4U);
    cluster.read();
    cluster.run(milliseconds{1});
    cluster.propose();
    EXPECT_EQ(cluster.checks.reads, 1U);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Cluster, elects_another_leader_when_the_leader_dies) {
    Cluster cluster(3, 2);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    cluster.run(milliseconds{300});
    const std::size_t first = cluster.leader();
    const Instant died = cluster.now();
    cluster.crash(first);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.voter(cluster.leader()).committed_in_term(); }));
    EXPECT_LT(cluster.now() - died, seconds{2});
    cluster.restart(first);
    cluster.run(seconds{1});
    EXPECT_NE(cluster.leader(), first);  // coming back deposes nobody
    EXPECT_TRUE(cluster.converged());
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Cluster, without_a_majority_has_no_leader_within_an_election_timeout) {
    Cluster cluster(3, 3);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    const std::size_t leader = cluster.leader();
    cluster.run(seconds{1});
    for (std::size_t i = 0; i < 3; ++i) {
        if (i != leader) cluster.crash(i);
    }
    cluster.run(milliseconds{1150});
    EXPECT_FALSE(cluster.has_leader());
    EXPECT_EQ(cluster.voter(leader).leader(), NodeId{});
    EXPECT_GE(cluster.total(Counter::leaders_stepped_down), 1U);
}

TEST(Cluster, sends_many_proposals_in_one_append) {
    Cluster cluster(3, 4);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.voter(cluster.leader()).committed_in_term(); }));
    cluster.run(milliseconds{200});
    const std::uint32_t before = cluster.total(Counter::appends_sent);
    Consensus& leader = cluster.voter(cluster.leader());
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(leader.propose(cluster.now(), EntryType::command, text_bytes("x")).ok());
    cluster.read();  // an input that makes it send
    EXPECT_EQ(cluster.total(Counter::appends_sent) - before, 2U);
    cluster.run(milliseconds{20});
    EXPECT_EQ(leader.commit(), leader.last_index());
}

TEST(Cluster, gives_a_follower_that_was_away_for_long_the_image) {
    Cluster cluster(3, 5);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    cluster.run(milliseconds{300});
    const std::size_t away = (cluster.leader() + 1) % 3;
    cluster.crash(away);
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(cluster.run_until([&] { return cluster.propose(); }, milliseconds{350}));
        cluster.run(milliseconds{10});
    }
    cluster.restart(away);
    EXPECT_TRUE(cluster.run_until([&] { return cluster.converged(); }, seconds{2}));
    cluster.run(milliseconds{200});  // for its checkpoint
    EXPECT_EQ(cluster.process(away).counters.get(Counter::snapshots_installed), 1U);
    EXPECT_THAT(cluster.violations, IsEmpty());
    cluster.crash(away);  // what was installed survives
    cluster.restart(away);
    EXPECT_GT(cluster.voter(away).applied(), LogIndex{150});
}

TEST(Cluster, gives_a_wiped_voter_the_log_but_never_counts_it) {
    Cluster cluster(3, 6);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    const std::size_t wiped = (cluster.leader() + 1) % 3;
    cluster.crash(wiped);
    cluster.wipe(wiped);
    cluster.restart(wiped);
    cluster.run(seconds{2});
    EXPECT_GT(cluster.total(Counter::votes_ignored_storage), 0U);
    const std::size_t other = 3 - wiped - cluster.leader();
    cluster.crash(other);
    cluster.run(seconds{3});
    EXPECT_FALSE(cluster.has_leader());  // one counted voter of three is no majority
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Cluster, hands_leadership_over_without_waiting_for_a_timeout) {
    Cluster cluster(3, 7);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    const std::size_t old = cluster.leader();
    cluster.run(milliseconds{300});
    const Instant asked = cluster.now();
    cluster.voter(old).hand_over(cluster.now());
    EXPECT_EQ(cluster.voter(old).propose(cluster.now(), EntryType::command, {}).status(), Status::busy);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader() && cluster.leader() != old; }));
    EXPECT_LT(cluster.now() - asked, milliseconds{200});
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Cluster, takes_leadership_back_when_nobody_accepts_it) {
    Cluster cluster(3, 8);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    const std::size_t old = cluster.leader();
    cluster.run(milliseconds{300});
    cluster.crash(old == 0 ? 1 : 0);  // of two that are equally far the first is chosen
    cluster.voter(old).hand_over(cluster.now());
    cluster.run(milliseconds{450});
    EXPECT_FALSE(cluster.propose());
    cluster.run(milliseconds{100});
    EXPECT_EQ(cluster.leader(), old);
    EXPECT_TRUE(cluster.propose());
}

// A voter that only one other hears cannot depose a leader that a majority follows, nor stop the cluster.
TEST(Cluster, is_not_disrupted_by_a_partially_connected_voter) {
    Cluster cluster(3, 9);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    cluster.run(milliseconds{300});
    const std::size_t leader = cluster.leader();
    const Term term = cluster.voter(leader).term();
    const std::size_t odd = (leader + 1) % 3;
    cluster.cut(leader, odd);  // it hears only the third
    cluster.cut(odd, leader);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(cluster.propose());
        cluster.run(milliseconds{100});
        ASSERT_EQ(cluster.leader(), leader);
    }
    EXPECT_EQ(cluster.voter(leader).term(), term);
    cluster.heal();
    EXPECT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_EQ(cluster.voter(leader).term(), term);
}

// One that comes back from isolation neither has nor causes a higher term.
TEST(Cluster, is_not_disrupted_by_a_voter_that_was_isolated) {
    Cluster cluster(3, 10);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.has_leader(); }));
    const std::size_t leader = cluster.leader();
    const Term term = cluster.voter(leader).term();
    const std::size_t alone = (leader + 1) % 3;
    cluster.isolate(alone);
    cluster.run(seconds{30});
    EXPECT_EQ(cluster.voter(alone).term(), term);
    cluster.heal();
    cluster.run(seconds{2});
    EXPECT_EQ(cluster.leader(), leader);
    EXPECT_EQ(cluster.voter(leader).term(), term);
}

struct Story {
    std::uint64_t crashes = 0, cuts = 0;
};

// Twenty seconds of faults, then healing; whatever went wrong is in cluster.violations.
Story live_through(Cluster& cluster, std::uint64_t seed) {
    Random random(seed * 77 + 1);
    Story story;
    for (int round = 0; round < 1000; ++round) {
        const std::uint64_t what = random.below(100);
        const auto who = static_cast<std::size_t>(random.below(cluster.size()));
        if (what < 40)
            (void)cluster.propose();
        else if (what < 60)
            cluster.read();
        else if (what == 60 && cluster.up(who)) {
            cluster.crash(who);
            ++story.crashes;
        } else if (what < 65 && !cluster.up(who))
            cluster.restart(who);
        else if (what == 65 && cluster.has_leader()) {
            cluster.crash(cluster.leader());
            ++story.crashes;
        } else if (what == 66) {
            cluster.isolate(who);
            ++story.cuts;
        } else if (what == 67) {
            cluster.cut(who, static_cast<std::size_t>(random.below(cluster.size())));
            ++story.cuts;
        } else if (what < 71)
            cluster.heal();
        else if (what == 71 && cluster.has_leader())
            cluster.voter(cluster.leader()).hand_over(cluster.now());
        cluster.run(random.between(milliseconds{1}, milliseconds{39}));
    }
    cluster.heal();
    cluster.weather() = {.loss = 10, .log_entries = cluster.weather().log_entries};
    for (std::size_t i = 0; i < cluster.size(); ++i) {
        if (!cluster.up(i)) cluster.restart(i);
    }
    return story;
}

TEST(Cluster, is_safe_through_faults_and_live_after_them_on_every_seed) {
    Cluster::Checks sum;
    Story told;
    std::uint32_t images = 0, truncated = 0, leaders = 0, transfers = 0, compactions = 0;
    std::size_t committed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Weather weather{.loss = static_cast<unsigned>(seed % 4) * 80,
                              .duplication = static_cast<unsigned>(seed % 3) * 50,
                              .delay_max_ms = 1 + static_cast<std::int64_t>(seed % 5) * 10,
                              .disk_max_ms = 1 + static_cast<std::int64_t>(seed % 7) * 4,
                              .log_entries = seed % 2 == 0 ? 16U : 48U};
        Cluster cluster(seed % 3 == 0 ? 5 : 3, seed, weather);
        const Story story = live_through(cluster, seed);
        ASSERT_THAT(cluster.violations, IsEmpty());
        ASSERT_TRUE(
            cluster.run_until([&] { return cluster.has_leader() && cluster.voter(cluster.leader()).committed_in_term(); }, seconds{10}));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.propose(); }, seconds{1}));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }, seconds{10}));
        ASSERT_THAT(cluster.violations, IsEmpty());
        told.crashes += story.crashes;
        told.cuts += story.cuts;
        committed += cluster.committed();
        images += cluster.total(Counter::snapshots_installed);
        truncated += cluster.total(Counter::entries_truncated);
        leaders += cluster.total(Counter::leaders_elected);
        transfers += cluster.total(Counter::leaders_deposed);
        compactions += cluster.total(Counter::journal_compactions);
        sum.elections += cluster.checks.elections;
        sum.matching += cluster.checks.matching;
        sum.completeness += cluster.checks.completeness;
        sum.durable += cluster.checks.durable;
        sum.applied += cluster.checks.applied;
        sum.reads += cluster.checks.reads;
        sum.terms += cluster.checks.terms;
    }
    std::cout << "committed=" << committed << " leaders=" << leaders << " crashes=" << told.crashes << " cuts=" << told.cuts
              << " images=" << images << " truncated=" << truncated << " deposed=" << transfers << " compactions=" << compactions
              << " checks: elections=" << sum.elections << " matching=" << sum.matching << " completeness=" << sum.completeness
              << " durable=" << sum.durable << " applied=" << sum.applied << " reads=" << sum.reads << " terms=" << sum.terms << "\n";
    // An idle world proves nothing.
    EXPECT_GT(committed, 5000U);
    EXPECT_GT(images, 20U);
    EXPECT_GT(truncated, 20U);
    EXPECT_GT(told.crashes, 100U);
    EXPECT_GT(sum.reads, 500U);
    EXPECT_GT(compactions, 20U);
}

TEST(Cluster, replays_the_same_run_from_the_same_seed) {
    const auto run = [] {
        Cluster cluster(3, 42, {.loss = 100, .duplication = 50, .delay_max_ms = 20});
        live_through(cluster, 42);
        cluster.run(seconds{1});
        return std::tuple(cluster.committed(), cluster.total(Counter::appends_sent), cluster.process(0).machine.hash,
                          cluster.voter(0).term());
    };
    EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace dunlin::consensus::test
