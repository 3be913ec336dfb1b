#include <dunlin_sim/checkers/credit_checker.hpp>
#include <sim/checker_input.hpp>
#include <sim/checker_packets.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// Process 0 publishes to process 1, which allows two messages.
class Credits : public testing::Test {
  protected:
    Credits() { checker.on_send(kNow, 1, 0, packet(wire::RecordType::hello, wire::Hello(1, 0, 1, 1, 1, 1200, 1, 1, 0, 2, 9, 0))); }
    void send(std::uint64_t sequence, Lane lane = Lane::normal) {
        checker.on_send(kNow, 0, 1, run_packet(lane, sequence, std::vector<std::byte>(8)));
    }
    void settle(std::uint64_t cumulative, std::uint16_t messages) {
        const std::vector<std::byte> bytes =
            believed(packet(wire::RecordType::settlement, wire::Settlement(0, cumulative, 0, 0, 0, messages, 9)));
        checker.on_send(kNow, 1, 0, bytes);
        checker.on_receive(kNow, 0, 1, bytes);
    }
    SmallCluster cluster{1, 3};
    Verdict verdict;
    CreditChecker checker{cluster.world, verdict};
};

TEST_F(Credits, are_given_back_by_settlements_and_not_used_by_what_is_sent_again) {
    for (std::uint64_t sequence = 1; sequence < 10; ++sequence) {
        send(sequence);
        send(sequence + 1);
        send(sequence);
        settle(sequence, 2);
    }
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Credits, catches_a_message_beyond_them) {
    send(1);
    send(2);
    send(1, Lane::urgent);
    EXPECT_TRUE(verdict.clean()) << "lanes are judged one by one";
    for (std::uint64_t sequence = 3; sequence <= 5; ++sequence) send(sequence);
    EXPECT_TRUE(verdict.clean()) << "a few now and then";
    send(6);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'no more is under way than there is credit for' violated")));
}

TEST_F(Credits, are_what_was_allowed_at_most) {
    settle(0, 3);
    settle(0, 1);
    send(1);
    send(2);
    send(3);
    EXPECT_TRUE(verdict.clean()) << "the publisher may not have heard of less";
    for (std::uint64_t sequence = 4; sequence <= 6; ++sequence) send(sequence);
    EXPECT_TRUE(verdict.clean());
    send(7);
    EXPECT_FALSE(verdict.clean());
}

TEST_F(Credits, tell_what_needs_none) {
    send(1);
    send(2);
    EXPECT_TRUE(checker.needs_none(0, 1, 0, 1));
    EXPECT_FALSE(checker.needs_none(0, 1, 0, 2));
    settle(1, 2);
    EXPECT_TRUE(checker.needs_none(0, 1, 0, 2));
}

}  // namespace
}  // namespace dunlin::sim
