// A leader whose disk does not end what it is at: it hears everybody and is heard, and can promise nothing any more.
#include "consensus/lone_voter.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

constexpr std::uint16_t kOthers[] = {2, 3};

class HungDisk : public testing::Test {
  protected:
    HungDisk() : voter(3, StorageId{101}, {.log_bytes = 16384}) {
        voter.lead();
        answer();
    }
    void answer() {
        for (const std::uint16_t peer : kOthers) voter.hear_match(peer, voter.raft().last_index().value());
    }
    void hang() {
        op = voter.process->journal.poll_op();
        ASSERT_TRUE(op);
    }
    void go_on() {
        voter.process->journal.on_complete(op->id, voter.process->device.perform(*op), 0);
        voter.raft().on_durable(voter.now);
        voter.process->settle();
    }
    // The others answer each heartbeat; whether one of them was told to take over.
    bool handed_over_within(Duration time) {
        for (const Instant end = voter.now + time; voter.now < end;) {
            voter.advance(milliseconds{100});
            for (const std::uint16_t peer : kOthers) {
                const auto told = voter.told(peer);
                if (std::ranges::any_of(told, [](const Told& record) { return record.type == RecordType::timeout_now; })) return true;
            }
            answer();
        }
        return false;
    }
    [[nodiscard]] bool proposes(std::size_t bytes = 1) {
        return voter.raft().propose(voter.now, EntryType::command, std::vector<std::byte>(bytes)).ok();
    }

    LoneVoter voter;
    std::optional<DeviceOp> op;
};

TEST_F(HungDisk, makes_a_leader_hand_over_after_an_election_timeout) {
    ASSERT_TRUE(proposes());
    hang();
    EXPECT_FALSE(handed_over_within(milliseconds{900}));
    EXPECT_EQ(voter.raft().commit(), voter.raft().last_index());  // the others go on without it
    EXPECT_TRUE(handed_over_within(milliseconds{400}));
    EXPECT_FALSE(proposes());
    EXPECT_EQ(voter.process->counters.get(Counter::leaders_hung), 1U);
    EXPECT_TRUE(handed_over_within(milliseconds{1000}));  // and again, if that led nowhere
}

TEST_F(HungDisk, that_goes_on_slowly_is_no_reason) {
    EXPECT_FALSE(handed_over_within(milliseconds{100}));
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(proposes());
        hang();
        EXPECT_FALSE(handed_over_within(milliseconds{900}));
        go_on();
    }
    EXPECT_EQ(voter.process->counters.get(Counter::leaders_hung), 0U);
}

TEST_F(HungDisk, counts_in_a_checkpoint_too_where_nothing_is_owed_and_nothing_can_be_proposed) {
    voter.process->journal.begin_checkpoint();
    hang();
    EXPECT_FALSE(proposes());
    EXPECT_TRUE(handed_over_within(milliseconds{1300}));
}

TEST_F(HungDisk, does_not_keep_a_leader_in_office_for_want_of_room_for_the_next_term) {
    ASSERT_TRUE(proposes());
    hang();
    while (proposes(1000)) {}
    while (voter.process->journal.append(journal::RecordKind::watermark, {}).ok()) {}  // its buffer is full to the last byte
    voter.hear_vote_request(2, voter.raft().term().value() + 1, voter.raft().last_index().value(), voter.raft().term().value(), kTransfer);
    EXPECT_EQ(voter.raft().role(), Role::follower);
    EXPECT_EQ(voter.raft().term(), Term{2});
    EXPECT_EQ(voter.raft().leader(), NodeId{});
}

TEST(Alone, a_leader_whose_disk_hangs_waits_for_it) {
    LoneVoter voter(1);
    voter.sync();
    ASSERT_EQ(voter.raft().role(), Role::leader);
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, {}).ok());
    const auto op = voter.process->journal.poll_op();
    ASSERT_TRUE(op);
    voter.advance(seconds{10});
    EXPECT_EQ(voter.raft().role(), Role::leader);
    EXPECT_EQ(voter.process->counters.get(Counter::leaders_hung), 0U);
}

}  // namespace
}  // namespace dunlin::consensus::test
