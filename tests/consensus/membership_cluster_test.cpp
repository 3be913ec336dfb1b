// Clusters that grow and shrink: stories, and many seeds of faults.
#include "consensus/cluster.hpp"

#include <gmock/gmock.h>

#include <iostream>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;

// Three founders with a leader that has committed, and `others` that are no members yet.
struct Growing : Cluster {
    explicit Growing(std::uint64_t seed, std::size_t founders = 3, std::size_t others = 1, const Weather& weather = {})
        : Cluster(founders, seed, weather, others) {
        DUNLIN_ASSERT(run_until([&] { return leads(); }));
    }
    [[nodiscard]] bool leads() { return has_leader() && voter(leader()).committed_in_term(); }
    [[nodiscard]] std::size_t follower() { return leader() == 0 ? 1 : 0; }
    // Until it is committed.
    [[nodiscard]] bool changed(ChangeOp op, std::size_t i, Standing to, Duration limit = seconds{5}) {
        return run_until([&] { return change(op, i) == Status::ok; }, limit) && run_until([&] { return standing(i) == to; }, limit);
    }
    [[nodiscard]] bool added(std::size_t i) { return changed(ChangeOp::add_learner, i, Standing::learner); }
    [[nodiscard]] bool promoted(std::size_t i) { return changed(ChangeOp::promote, i, Standing::voter); }
    [[nodiscard]] bool removed(std::size_t i) { return changed(ChangeOp::remove, i, Standing::none); }
    [[nodiscard]] bool commits() {
        const std::size_t before = committed();
        return run_until([&] { return propose(); }, seconds{3}) && run_until([&] { return committed() > before; }, seconds{3});
    }
};

TEST(Members, a_node_learns_the_log_and_then_votes) {
    Growing cluster(1);
    for (int i = 0; i < 5; ++i) cluster.propose();
    ASSERT_TRUE(cluster.added(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_EQ(cluster.voter(3).member_count(), 4U);
    ASSERT_TRUE(cluster.promoted(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    cluster.crash(cluster.follower());
    EXPECT_TRUE(cluster.commits());  // three of four, the new one among them
    cluster.crash(cluster.leader());
    cluster.run(seconds{3});
    EXPECT_FALSE(cluster.has_leader());  // two of four
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, a_node_that_is_added_late_gets_the_image_and_the_members_with_it) {
    Growing cluster(2);
    for (int i = 0; i < 200; ++i) {
        cluster.propose();
        cluster.run(milliseconds{10});
    }
    ASSERT_TRUE(cluster.added(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_EQ(cluster.process(3).counters.get(Counter::snapshots_installed), 1U);
    EXPECT_EQ(cluster.voter(3).member_count(), 4U);
    ASSERT_TRUE(cluster.promoted(3));
    cluster.crash(cluster.follower());
    EXPECT_TRUE(cluster.commits());
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, a_learner_decides_nothing_and_leads_nothing) {
    Growing cluster(3);
    ASSERT_TRUE(cluster.added(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    const std::size_t leader = cluster.leader();
    for (std::size_t i = 0; i < 3; ++i) {
        if (i != leader) cluster.crash(i);
    }
    const std::size_t before = cluster.committed();
    ASSERT_TRUE(cluster.propose());
    cluster.run(seconds{5});
    EXPECT_EQ(cluster.committed(), before);
    EXPECT_FALSE(cluster.has_leader());
    EXPECT_EQ(cluster.process(3).counters.get(Counter::pre_votes_started), 0U);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, a_cluster_of_three_grows_to_five_and_goes_back_to_three_others) {
    Growing cluster(4, 3, 2);
    for (const std::size_t i : {3, 4}) {
        ASSERT_TRUE(cluster.added(i));
        ASSERT_TRUE(cluster.promoted(i));
        ASSERT_TRUE(cluster.commits());
    }
    for (const std::size_t i : {0, 1}) {  // the leader among them, sooner or later
        ASSERT_TRUE(cluster.removed(i));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leads() && cluster.leader() != i; }));
        ASSERT_TRUE(cluster.commits());
        cluster.crash(i);
    }
    EXPECT_TRUE(cluster.commits());
    EXPECT_EQ(cluster.voter(cluster.leader()).member_count(), 3U);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, whoever_is_removed_is_told_and_keeps_still) {
    Growing cluster(5, 3, 0);
    const std::size_t gone = cluster.follower();
    ASSERT_TRUE(cluster.removed(gone));
    cluster.run(milliseconds{300});
    EXPECT_EQ(cluster.voter(gone).applied(), cluster.voter(cluster.leader()).applied());
    const Term term = cluster.voter(cluster.leader()).term();
    cluster.run(seconds{20});
    EXPECT_EQ(cluster.voter(cluster.leader()).term(), term);
    EXPECT_EQ(cluster.voter(gone).role(), Role::follower);
    EXPECT_TRUE(cluster.commits());
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, who_was_not_told_of_its_removal_disturbs_nobody) {
    Growing cluster(6, 3, 0);
    const std::size_t gone = cluster.follower();
    cluster.isolate(gone);
    ASSERT_TRUE(cluster.removed(gone));
    cluster.run(seconds{1});
    const Term term = cluster.voter(cluster.leader()).term();
    cluster.heal();
    cluster.run(seconds{20});
    EXPECT_GT(cluster.process(gone).counters.get(Counter::pre_votes_started), 5U);
    EXPECT_EQ(cluster.voter(cluster.leader()).term(), term);
    EXPECT_TRUE(cluster.commits());
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, a_leader_that_removes_itself_is_followed_by_another_at_once) {
    Growing cluster(7, 3, 0);
    const std::size_t first = cluster.leader();
    const Term term = cluster.voter(first).term();
    ASSERT_EQ(cluster.change(ChangeOp::remove, first), Status::ok);
    EXPECT_TRUE(cluster.propose());  // it leads on until that is committed
    const Instant start = cluster.now();
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leads() && cluster.leader() != first; }));
    EXPECT_LT(cluster.now() - start, milliseconds{200});
    EXPECT_EQ(cluster.voter(cluster.leader()).term(), Term{term.value() + 1});
    EXPECT_TRUE(cluster.commits());
    cluster.run(seconds{20});
    EXPECT_EQ(cluster.voter(cluster.leader()).term(), Term{term.value() + 1});
    EXPECT_NE(cluster.voter(first).role(), Role::leader);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

TEST(Members, a_leader_that_demotes_itself_learns_from_the_next) {
    Growing cluster(8, 3, 0);
    const std::size_t first = cluster.leader();
    ASSERT_TRUE(cluster.changed(ChangeOp::demote, first, Standing::learner));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leads() && cluster.leader() != first; }));
    EXPECT_TRUE(cluster.commits());
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_TRUE(cluster.promoted(first));
    EXPECT_THAT(cluster.violations, IsEmpty());
}

// Raft thesis §4.2.2: the one that stays lacks the entry, so it cannot win; the one that goes has to.
TEST(Members, of_two_the_one_that_removed_itself_and_crashed_leads_once_more) {
    Growing cluster(9, 2, 0);
    const std::size_t gone = cluster.leader();
    const std::size_t stays = 1 - gone;
    cluster.cut(gone, stays);
    ASSERT_EQ(cluster.change(ChangeOp::remove, gone), Status::ok);
    cluster.run(milliseconds{50});  // its disk has it
    cluster.crash(gone);
    cluster.heal();
    cluster.restart(gone);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() == stays && cluster.leads(); }));
    EXPECT_TRUE(cluster.commits());
    EXPECT_EQ(cluster.voter(stays).member_count(), 1U);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

// Four voters, and all of the three that are left must vote: the one that does not know that it may, too.
TEST(Members, a_voter_that_does_not_know_of_its_promotion_votes_and_follows) {
    Growing cluster(10);
    ASSERT_TRUE(cluster.added(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    const std::size_t leader = cluster.leader();
    cluster.cut(leader, 3);
    ASSERT_EQ(cluster.change(ChangeOp::promote, 3), Status::ok);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.standing(3) == Standing::voter; }, milliseconds{100}));
    ASSERT_LT(cluster.voter(3).last_index().value(), cluster.committed());
    cluster.crash(leader);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leads() && cluster.leader() != leader; }));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_TRUE(cluster.commits());
    EXPECT_THAT(cluster.violations, IsEmpty());
}

// The follower that was away has never heard of who leads now.
TEST(Members, a_follower_that_was_away_is_repaired_by_a_leader_that_it_does_not_know) {
    Growing cluster(11);
    const std::size_t away = cluster.follower();
    cluster.crash(away);
    ASSERT_TRUE(cluster.added(3));
    ASSERT_TRUE(cluster.promoted(3));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    ASSERT_TRUE(cluster.voter(cluster.leader()).hand_over(cluster.now(), Cluster::id(3)));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() == 3 && cluster.leads(); }));
    for (std::size_t i = 0; i < 3; ++i) {
        if (i == away) continue;
        cluster.cut(i, away);
        cluster.cut(away, i);
    }
    cluster.restart(away);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    EXPECT_EQ(cluster.voter(away).member_count(), 4U);
    EXPECT_THAT(cluster.violations, IsEmpty());
}

// The fault of single-server changes that was found in 2015: a change of an older term that few have, and one of a new leader,
// which has committed nothing yet, have majorities without a common voter. Leader a promotes e, which e alone gets. Leader b of
// the next term removes a, and its majority of b, c and d would be two; a's majority of a, b, c, d and e, with d, is three.
TEST(Members, two_leaders_changes_never_have_majorities_apart) {
    Growing cluster(12, 4, 1);
    constexpr std::size_t e = 4;
    ASSERT_TRUE(cluster.added(e));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }));
    const std::size_t a = cluster.leader();
    const auto apart = [&](std::size_t i, std::size_t j) {
        cluster.cut(i, j);
        cluster.cut(j, i);
    };
    for (std::size_t i = 0; i < 4; ++i) {
        if (i != a) apart(a, i);
    }
    ASSERT_EQ(cluster.change(ChangeOp::promote, e), Status::ok);
    std::size_t b = 0, d = 0;
    const auto d_votes_for_b = [&] {
        for (b = 0; b < 4; ++b) {
            for (d = 0; d < 4; ++d) {
                const bool others = b != a && d != a && b != d;
                if (others && cluster.voter(b).role() == Role::candidate && cluster.voter(d).term() == cluster.voter(b).term()) return true;
            }
        }
        return false;
    };
    ASSERT_TRUE(cluster.run_until(d_votes_for_b));
    cluster.cut(b, d);  // so d's log is what a's was before the promotion, and e's is a's
    apart(b, e);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() == b; }));
    apart(d, b);
    cluster.run(milliseconds{1});
    EXPECT_EQ(cluster.change(ChangeOp::remove, a), Status::busy);
    cluster.run(milliseconds{300});  // with c, b commits what it can
    cluster.isolate(b);
    for (std::size_t i = 0; i < 4; ++i) {
        if (i != a && i != b && i != d) cluster.isolate(i);
    }
    for (const std::size_t i : {a, d, e}) {
        for (const std::size_t j : {a, d, e}) cluster.cut(i, j, false);
    }
    cluster.run(seconds{5});
    cluster.heal();
    EXPECT_TRUE(cluster.run_until([&] { return cluster.leads() && cluster.converged(); }));
    EXPECT_THAT(cluster.violations, IsEmpty());
}

// ---- Many seeds

struct Told {
    std::uint64_t changes = 0, added = 0, promoted = 0, removed = 0, demoted = 0, leaders = 0, crashes = 0;
};

void change_something(Cluster& cluster, Random& random, Told& told) {
    const std::size_t leader = cluster.leader();
    if (leader == cluster.size()) return;
    const auto op = static_cast<ChangeOp>(1 + random.below(4));
    const std::size_t who = random.below(4) == 0 ? leader : static_cast<std::size_t>(random.below(cluster.size()));
    std::size_t voters = 0;
    for (std::size_t i = 0; i < cluster.voter(leader).member_count(); ++i) {
        voters += cluster.voter(leader).member(i).standing == Standing::voter ? 1 : 0;
    }
    const bool shrinks = op == ChangeOp::remove || op == ChangeOp::demote;
    if (shrinks && voters < 3) return;
    if (cluster.change(op, who) != Status::ok) return;
    ++told.changes;
    told.added += op == ChangeOp::add_learner ? 1 : 0;
    told.promoted += op == ChangeOp::promote ? 1 : 0;
    told.removed += op == ChangeOp::remove ? 1 : 0;
    told.demoted += op == ChangeOp::demote ? 1 : 0;
    told.leaders += shrinks && who == leader ? 1 : 0;
}

void live_through(Cluster& cluster, std::uint64_t seed, Told& told) {
    Random random(seed * 91 + 5);
    for (int round = 0; round < 1000; ++round) {
        const std::uint64_t what = random.below(100);
        const auto who = static_cast<std::size_t>(random.below(cluster.size()));
        if (what < 30)
            (void)cluster.propose();
        else if (what < 40)
            cluster.read();
        else if (what < 60)
            change_something(cluster, random, told);
        else if ((what == 60 || (what == 61 && who == cluster.leader())) && cluster.up(who)) {
            cluster.crash(who);
            ++told.crashes;
        } else if (what < 68 && !cluster.up(who))
            cluster.restart(who);
        else if (what == 68)
            cluster.isolate(who);
        else if (what == 69)
            cluster.cut(who, static_cast<std::size_t>(random.below(cluster.size())));
        else if (what < 73)
            cluster.heal();
        else if (what == 73 && cluster.has_leader())
            (void)cluster.voter(cluster.leader()).hand_over(cluster.now(), random.below(2) == 0 ? NodeId{} : Cluster::id(who));
        else if (what == 74 && cluster.has_leader()) {  // what it is given now is lost, if it is not heard again soon
            cluster.isolate(cluster.leader());
            change_something(cluster, random, told);
            (void)cluster.propose();
        }
        cluster.run(random.between(milliseconds{1}, milliseconds{39}));
    }
    cluster.heal();
    cluster.weather() = {.loss = 10, .log_entries = cluster.weather().log_entries};
    for (std::size_t i = 0; i < cluster.size(); ++i) {
        if (!cluster.up(i)) cluster.restart(i);
    }
}

TEST(Members, change_safely_through_faults_on_every_seed) {
    Told told;
    std::size_t committed = 0;
    std::uint32_t images = 0, truncated = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Weather weather{.loss = static_cast<unsigned>(seed % 4) * 60,
                              .duplication = static_cast<unsigned>(seed % 3) * 50,
                              .delay_max_ms = 1 + static_cast<std::int64_t>(seed % 5) * 10,
                              .disk_max_ms = 1 + static_cast<std::int64_t>(seed % 7) * 4,
                              .log_entries = seed % 2 == 0 ? 16U : 48U};
        Cluster cluster(static_cast<std::size_t>(2 + seed % 3), seed, weather, 2 + seed % 2);
        live_through(cluster, seed, told);
        ASSERT_THAT(cluster.violations, IsEmpty());
        ASSERT_TRUE(
            cluster.run_until([&] { return cluster.has_leader() && cluster.voter(cluster.leader()).committed_in_term(); }, seconds{20}));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.propose(); }, seconds{5}));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.converged(); }, seconds{20}));
        ASSERT_THAT(cluster.violations, IsEmpty());
        committed += cluster.committed();
        images += cluster.total(Counter::snapshots_installed);
        truncated += cluster.total(Counter::entries_truncated);
    }
    std::cout << "committed=" << committed << " changes=" << told.changes << " added=" << told.added << " promoted=" << told.promoted
              << " demoted=" << told.demoted << " removed=" << told.removed << " leaders=" << told.leaders << " crashes=" << told.crashes
              << " images=" << images << " truncated=" << truncated << "\n";
    // An idle world proves nothing.
    EXPECT_GT(committed, 3000U);
    EXPECT_GT(told.promoted, 100U);
    EXPECT_GT(told.removed, 100U);
    EXPECT_GT(told.leaders, 30U);
    EXPECT_GT(images, 20U);
    EXPECT_GT(truncated, 20U);
}

}  // namespace
}  // namespace dunlin::consensus::test
