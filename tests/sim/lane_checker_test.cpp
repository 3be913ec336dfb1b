#include <dunlin_sim/checkers/lane_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/checker_packets.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// Process 0 publishes to process 1.
class Lanes : public testing::Test {
  protected:
    void publish(std::uint64_t number, Lane lane) { checker.published(0, number, lane, {}); }
    void send(std::uint64_t number, Lane lane) {
        std::vector<std::byte> payload;  // as the workload's begin
        append(payload, std::uint64_t{0});
        append(payload, number);
        const std::vector<std::byte> packet = run_packet(lane, ++sequence, payload);
        credits.on_send(kNow, 0, 1, packet);
        checker.on_send(kNow, 0, 1, packet);
    }
    // Process 1 is done with all that was sent in the lane.
    void settle(Lane lane) {
        const wire::Settlement settlement(0, sequence, static_cast<std::uint8_t>(index_of(lane)), 0, 0, 0, 0);
        const std::vector<std::byte> bytes = believed(packet(wire::RecordType::settlement, settlement));
        credits.on_receive(kNow, 0, 1, bytes);
        checker.on_receive(kNow, 0, 1, bytes);
    }
    void send_others(int packets, Lane lane) {
        for (int i = 0; i < packets; ++i) send(1000, lane);
    }
    void expect_violation(const std::string& invariant) {
        EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'" + invariant + "' violated")));
    }
    SmallCluster cluster{1, 3};
    Verdict verdict;
    CreditChecker credits{cluster.world, verdict};
    DurableStates durable{cluster.world};
    LaneChecker checker{cluster.world, verdict, credits, durable};
    std::uint64_t sequence = 0;
};

TEST_F(Lanes, may_take_their_turns) {
    publish(1, Lane::bulk);
    publish(2, Lane::urgent);
    send_others(3, Lane::bulk);
    send(2, Lane::urgent);
    send_others(14, Lane::urgent);
    send(1, Lane::bulk);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Lanes, catches_an_urgent_message_behind_bulk) {
    publish(1, Lane::urgent);
    send_others(6, Lane::bulk);  // the first of them needs no credit
    send(1, Lane::urgent);
    expect_violation("urgent does not wait behind the others");
}

// They need no credit, for which urgent may wait.
TEST_F(Lanes, further_fragments_of_a_message_may_go_on) {
    send(1, Lane::normal);
    publish(2, Lane::urgent);
    for (std::uint16_t index = 1; index <= 10; ++index) {
        const std::vector<std::byte> packet = fragment_packet(Lane::normal, sequence + 1, index);
        credits.on_send(kNow, 0, 1, packet);
        checker.on_send(kNow, 0, 1, packet);
    }
    sequence += 11;
    send(2, Lane::urgent);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Lanes, catches_a_lane_that_is_passed_over_for_ever) {
    for (const Lane lane : {Lane::normal, Lane::bulk}) {
        publish(1, lane);
        send_others(16, Lane::urgent);
        send_others(1, lane);
        send_others(16, Lane::urgent);
        send(1, lane);
        EXPECT_TRUE(verdict.clean());
    }
    settle(Lane::bulk);
    publish(2, Lane::bulk);
    send_others(17, Lane::urgent);
    send(2, Lane::bulk);
    expect_violation("no lane waits for ever");
}

TEST_F(Lanes, hold_nothing_against_a_message_that_may_have_waited_for_credit) {
    send_others(1, Lane::bulk);
    publish(1, Lane::bulk);
    send_others(17, Lane::urgent);
    send(1, Lane::bulk);
    EXPECT_TRUE(verdict.clean());
}

// A message of a real publisher's journal, which is published here; so many urgent packets leave before it is on the disk, and after.
class DurableLanes : public Lanes {
  protected:
    void pass_over(int before, int after) {
        World& world = cluster.world;
        world.start_all();
        auto accept = [](const bus::Message&) { return bus::Verdict::accept; };
        ASSERT_TRUE(world.node(1).subscribe("t", bus::Handler::of(accept)).ok());
        world.touch(1);
        world.run_for(seconds{3});
        world.crash(1);
        const auto published = world.node(0).publish(world.local_now(0), {.topic = "t", .payload = bytes_of("x")});
        ASSERT_TRUE(published.ok());
        checker.published(0, 1, Lane::bulk, published.value().id);
        send_others(before, Lane::urgent);
        world.touch(0);
        world.run_for(seconds{1});
        send_others(after, Lane::urgent);
        send(1, Lane::bulk);
    }
};

TEST_F(DurableLanes, wait_for_their_journal_as_long_as_that_takes) {
    pass_over(100, 16);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(DurableLanes, are_passed_over_for_two_turns_at_most_once_the_disk_has_them) {
    pass_over(0, 33);
    expect_violation("no lane waits for ever");
}

TEST_F(Lanes, hold_nothing_against_a_message_that_goes_in_another_one) {
    publish(1, Lane::bulk);
    send_others(100, Lane::urgent);
    send(1, Lane::normal);
    EXPECT_TRUE(verdict.clean());
}

}  // namespace
}  // namespace dunlin::sim
