#include <dunlin_sim/checkers/settlement_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/checker_packets.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// Process 0 publishes to process 1; both are voters, with journals that know nothing of it.
class Settlements : public testing::Test {
  protected:
    static constexpr std::uint64_t kStream = 77;

    void send(std::uint64_t sequence, std::string_view payload) {
        checker.on_send(kNow, 0, 1, run_packet(Lane::normal, sequence, bytes_of(payload)));
    }
    void say_hello(std::uint64_t first_unsettled) {
        checker.on_send(kNow, 0, 1, packet(wire::RecordType::hello, wire::Hello(1, 0, 1, 1, kStream, 1200, 1, 1, 0, 0, 0, 0)));
        checker.on_send(kNow, 0, 1, packet(wire::RecordType::lane_state, wire::LaneState(0, 0, first_unsettled, 0, 0, 0, 0)));
    }
    void settle(std::uint64_t cumulative, std::uint64_t bits = 0) {
        std::vector<std::byte> bitmap;
        if (bits != 0) append(bitmap, bits);
        const wire::Settlement settlement(kStream, cumulative, 0, 0, static_cast<std::uint16_t>(bits != 0 ? 1 : 0), 0, 0);
        checker.on_send(kNow, 1, 0, packet(wire::RecordType::settlement, settlement, bitmap));
    }
    void expect_violation(const std::string& invariant) {
        EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'" + invariant + "' violated")));
    }
    SmallCluster cluster{1, 3};
    Verdict verdict;
    DurableStates durable{cluster.world};
    SettlementChecker checker{cluster.world, verdict, durable};
};

TEST_F(Settlements, catches_a_sequence_that_names_two_messages) {
    send(5, "one");
    send(6, "two");
    send(5, "one");
    EXPECT_TRUE(verdict.clean());
    send(6, "three");
    expect_violation("a sequence names one message");
}

TEST_F(Settlements, catches_one_that_goes_back) {
    settle(4, 0b10);  // and 6
    settle(4, 0b11);
    settle(6);
    EXPECT_TRUE(verdict.clean());
    settle(5);
    expect_violation("settlements never go back");
}

TEST_F(Settlements, catches_one_that_forgets_what_lay_past_a_gap) {
    settle(4, 0b10);
    settle(5);
    expect_violation("settlements never go back");
}

TEST_F(Settlements, catches_a_run_of_what_was_told_to_be_settled) {
    say_hello(1);
    settle(4, 0b10);
    checker.handled(kNow, 1, NodeId{1}, Lane::normal, Sequence{5});
    EXPECT_TRUE(verdict.clean());
    checker.handled(kNow, 1, NodeId{1}, Lane::normal, Sequence{6});
    expect_violation("told to be settled, never run");
}

TEST_F(Settlements, looks_at_disks_once_somebody_has_crashed_and_takes_the_publishers_word) {
    say_hello(5);
    settle(4);
    cluster.world.start_all();
    checker.on_crash(kNow, 2, cluster.world.node(2));
    settle(4, 0b1);
    expect_violation("durable before settled");
}

TEST_F(Settlements, catches_an_outcome_that_the_disk_does_not_know) {
    cluster.world.start_all();
    Event event;
    event.kind = EventKind::outcome;
    event.node = NodeId{2};
    event.id = 9;
    event.outcome = Outcome::acknowledged;
    checker.on_event(kNow, 0, cluster.world.node(0), event);
    EXPECT_TRUE(verdict.clean());
    checker.on_crash(kNow, 2, cluster.world.node(2));
    checker.on_event(kNow, 0, cluster.world.node(0), event);
    expect_violation("durable before an outcome is told");
}

TEST(SettledSequences, tells_what_another_set_lacks) {
    const SettledSequences one{StreamId{1}, 4, {0b101}};  // to 4, 5 and 7
    EXPECT_TRUE(one.contains(4) && one.contains(5) && !one.contains(6) && one.contains(7) && !one.contains(200));
    EXPECT_EQ(one.first_missing_in({StreamId{1}, 4, {0b100}}), 5U);
    EXPECT_EQ(one.first_missing_in({StreamId{1}, 7, {}}), 0U);
    EXPECT_EQ(one.first_missing_in({StreamId{1}, 2, {}}), 3U);
    EXPECT_EQ(one.first_missing_in({StreamId{1}, 2, {}}, 5), 7U);
}

}  // namespace
}  // namespace dunlin::sim
