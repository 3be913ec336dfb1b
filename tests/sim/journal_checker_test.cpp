#include <sim/small_cluster.hpp>

#include <dunlin_sim/checkers/journal_checker.hpp>

#include <gmock/gmock.h>

namespace dunlin::sim {
namespace {

using testing::HasSubstr;

class JournalCheckerTest : public testing::Test {
  protected:
    JournalCheckerTest() {
        cluster.world.start_all();
        cluster.world.run_for(seconds{3});
    }
    Disk& disk() { return cluster.world.process(0).disk; }
    [[nodiscard]] std::string complaint() const { return verdict.clean() ? "" : verdict.violations().front(); }

    SmallCluster cluster{1, 1};
    Verdict verdict;
    JournalChecker checker{cluster.world, verdict};
};

TEST_F(JournalCheckerTest, finds_nothing_wrong_with_a_crash) {
    for (int i = 0; i < 20; ++i) {
        cluster.world.crash(0);
        cluster.world.restart(0);
        cluster.world.run_for(milliseconds{997});
    }
    EXPECT_EQ(complaint(), "");
    EXPECT_EQ(verdict.tallies()[0].checks, 20U);
    EXPECT_EQ(verdict.tallies()[1].checks, 20U);
}

TEST_F(JournalCheckerTest, notices_a_disk_that_went_back_in_time) {
    auto image = disk().image();
    cluster.world.crash(0);
    cluster.world.restart(0);
    cluster.world.run_for(seconds{3});
    cluster.world.crash(0);
    disk().restore(std::move(image));
    cluster.world.restart(0);
    EXPECT_THAT(complaint(), HasSubstr("'what was synced is recovered' violated"));
}

TEST_F(JournalCheckerTest, notices_records_of_somebody_else) {
    SmallCluster other(2, 1);
    other.world.start_all();
    other.world.run_for(seconds{30});
    other.world.crash(0);
    cluster.world.crash(0);
    disk().restore(other.world.process(0).disk.image());
    cluster.world.restart(0);
    EXPECT_THAT(complaint(), HasSubstr("'only what was written is recovered' violated"));
}

TEST_F(JournalCheckerTest, does_not_compare_a_disk_that_was_exchanged) {
    cluster.world.crash(0);
    checker.exchanged(0);
    cluster.world.wipe(0);
    cluster.world.restart(0);
    EXPECT_EQ(verdict.tallies()[0].checks, 0U);
}

TEST_F(JournalCheckerTest, reads_what_a_journal_holds) {
    cluster.world.crash(0);
    EXPECT_EQ(read_journal(disk().content()).status, Status::ok);
    EXPECT_GT(read_journal(disk().content()).records.size(), 3U);
    disk().wipe();
    EXPECT_EQ(read_journal(disk().content()).status, Status::blank);
}

}  // namespace
}  // namespace dunlin::sim
