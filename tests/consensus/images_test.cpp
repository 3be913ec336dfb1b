// What a follower that is behind the ring gets instead of entries.
#include "consensus/lone_voter.hpp"

#include <gmock/gmock.h>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;
using wire::RecordType;

TEST(Images, are_sent_to_a_follower_behind_the_ring_in_chunks_that_fit_a_packet) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    for (std::uint64_t index = 3; index < 60; ++index) {
        ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
        voter.sync();
        voter.hear_match(2, index);
    }
    ASSERT_GT(voter.raft().log().base().index, LogIndex{20});
    (void)voter.told(3);
    voter.hear(3, RecordType::append_reply, wire::AppendReply(2, 1, 0, 1, 1, 0, 0, 0, 0));  // it has only the bootstrap entry
    std::vector<std::byte> image;
    wire::SnapshotChunk head{};
    for (const Told& record : voter.told(3)) {
        if (record.type != RecordType::snapshot_chunk) continue;
        head = record.as<wire::SnapshotChunk>();
        EXPECT_EQ(head.offset(), image.size());
        image.insert(image.end(), record.bytes.begin(), record.bytes.end());
    }
    EXPECT_EQ(image.size(), kImageBytes);
    EXPECT_EQ(head.total_bytes(), kImageBytes);
    EXPECT_EQ(head.crc32c(), crc32c(image));
    EXPECT_EQ(head.index(), 59U);
    voter.hear(3, RecordType::snapshot_reply, wire::SnapshotReply(2, 59, head.round(), 1000, 0));  // the rest was lost
    const std::vector<Told> again = voter.told(3);
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again[0].as<wire::SnapshotChunk>().offset(), 1000U);
    voter.hear_match(3, 59, head.round());
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("next")).ok());
    EXPECT_EQ(voter.last_told<wire::Append>(3, RecordType::append).prev_index(), 59U);
}

// Voter 3 has only the bootstrap entry and the ring has moved on; voter 2 confirms everything at once.
struct LeaderWithOneBehind : LoneVoter {
    LeaderWithOneBehind() {
        lead();
        hear_match(2, 2);
        for (int i = 0; i < 50; ++i) EXPECT_TRUE(write());
        (void)told(3);
        hear(3, RecordType::append_reply, wire::AppendReply(raft().term().value(), 1, 0, 1, 1, 0, 0, 0, 0));
    }
    // One more entry is committed; false: proposals have to wait.
    bool write() {
        sync();
        const auto index = raft().propose(now, EntryType::command, text_bytes("x"));
        if (!index.ok()) return false;
        sync();
        hear_match(2, index.value().value());
        return true;
    }
};

TEST(Images, that_a_follower_cannot_take_never_stop_the_others) {
    LeaderWithOneBehind voter;
    int written = 0;
    for (int i = 0; i < 200; ++i) {
        written += voter.write() ? 1 : 0;
        const std::vector<Told> records = voter.told(3);  // every chunk is dropped there, every heartbeat answered
        for (const Told& record : records) {
            if (record.type == RecordType::append) voter.hear_match(3, 0, record.as<wire::Append>().round());
        }
        voter.advance(milliseconds{10});
        voter.hear_match(2, voter.raft().commit().value());
    }
    EXPECT_GT(written, 190);  // it held them up once, for 300 ms
}

TEST(Images, that_grow_at_a_follower_keep_what_comes_after_them_in_the_ring) {
    LeaderWithOneBehind voter;
    std::uint64_t index = 0;
    for (std::uint32_t offset = 1000; offset <= 3000; offset += 1000) {
        wire::SnapshotChunk head{};
        for (const Told& record : voter.told(3)) {
            if (record.type == RecordType::snapshot_chunk) head = record.as<wire::SnapshotChunk>();
        }
        ASSERT_NE(head.index(), 0U);
        if (index == 0) index = head.index();
        EXPECT_EQ(head.index(), index);  // one and the same image
        voter.hear(3, RecordType::snapshot_reply, wire::SnapshotReply(voter.raft().term().value(), index, head.round(), offset, 0));
        for (int i = 0; i < 20; ++i) (void)voter.write();
        voter.advance(milliseconds{200});
        voter.hear_match(2, voter.raft().commit().value());
    }
    EXPECT_LE(voter.raft().log().base().index, LogIndex{index});
    voter.advance(milliseconds{100});  // but no longer than it makes progress
    EXPECT_TRUE(voter.write());
}

TEST(Images, begun_again_and_again_keep_nothing_in_the_ring) {
    LeaderWithOneBehind voter;
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
        refused += voter.write() ? 0 : 1;
        wire::SnapshotChunk head{};
        for (const Told& record : voter.told(3)) {
            if (record.type == RecordType::snapshot_chunk) head = record.as<wire::SnapshotChunk>();
        }
        if (head.index() != 0) {  // it gets half of it, crashes, and begins anew
            voter.hear(3, RecordType::snapshot_reply,
                       wire::SnapshotReply(voter.raft().term().value(), head.index(), head.round(), i % 2 == 0 ? 1000U : 0U, 0));
        }
        voter.advance(milliseconds{20});
        voter.hear_match(2, voter.raft().commit().value());
    }
    EXPECT_LT(refused, 30);
}

TEST(Images, longer_than_the_memory_for_them_stop_a_voter) {
    LoneVoter voter;
    const std::vector<std::byte> chunk(1000);
    voter.hear(2, RecordType::snapshot_chunk, wire::SnapshotChunk(2, 50, 2, 500, 1, kImageBytes, 0, 1, 0), chunk);
    EXPECT_EQ(voter.raft().stopped(), Status::ok);
    voter.hear(2, RecordType::snapshot_chunk, wire::SnapshotChunk(2, 51, 2, 500, 2, kImageBytes + 1, 0, 1, 0), chunk);
    EXPECT_EQ(voter.raft().stopped(), Status::invalid_argument);
    EXPECT_EQ(voter.raft().role(), Role::member);
    voter.sync();
    EXPECT_THAT(voter.told(2), IsEmpty());
}

}  // namespace
}  // namespace dunlin::consensus::test
