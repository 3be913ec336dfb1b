// Persist before send: nothing that promises leaves, or counts, before the journal has made it durable.
#include "consensus/lone_voter.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <numeric>

namespace dunlin::consensus::test {
namespace {

using testing::IsEmpty;
using wire::RecordType;

TEST(Persistence, a_vote_leaves_only_when_term_and_vote_are_durable) {
    LoneVoter voter;
    voter.hear_vote_request(2, 5, 1, 1);
    EXPECT_THAT(voter.told(2), IsEmpty());
    voter.sync();
    const auto reply = voter.last_told<wire::VoteReply>(2, RecordType::vote_reply);
    EXPECT_EQ(reply.term(), 5U);
    EXPECT_EQ(reply.flags(), kGranted);
}

TEST(Persistence, a_vote_survives_a_crash) {
    LoneVoter voter;
    voter.hear_vote_request(2, 5, 1, 1);
    voter.sync();
    voter.crash_and_restart();
    EXPECT_EQ(voter.raft().term(), Term{5});
    voter.hear_vote_request(3, 5, 9, 4);
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteReply>(3, RecordType::vote_reply).flags(), 0U);
    voter.hear_vote_request(2, 5, 1, 1);  // asked again, the same answer
    EXPECT_EQ(voter.last_told<wire::VoteReply>(2, RecordType::vote_reply).flags(), kGranted);
}

TEST(Persistence, a_vote_request_leaves_only_when_the_new_term_is_durable) {
    LoneVoter voter;
    while (voter.raft().role() != Role::pre_candidate) voter.advance(milliseconds{100});
    voter.hear(2, RecordType::vote_reply, wire::VoteReply(1, 2, kPreVote | kGranted, 0));
    ASSERT_EQ(voter.raft().role(), Role::candidate);
    EXPECT_THAT(voter.told(3), IsEmpty());
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteRequest>(3, RecordType::vote_request).term(), 2U);
}

TEST(Persistence, a_vote_survives_a_checkpoint_and_a_crash) {
    LoneVoter voter;
    voter.hear_vote_request(2, 5, 1, 1);
    voter.sync();
    while (!voter.process->journal.needs_checkpoint()) {
        (void)voter.process->journal.append(journal::RecordKind::watermark, text_bytes(std::string(500, 'x')));
        while (voter.process->step_disk()) {}
    }
    while (voter.process->counters.get(Counter::journal_compactions) == 0) voter.sync();
    voter.crash_and_restart();
    voter.hear_vote_request(3, 5, 9, 4);
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::VoteReply>(3, RecordType::vote_reply).flags(), 0U);
}

// The node asks for records whenever it has a packet for a voter, whether or not this voter wants to send.
TEST(Persistence, nothing_is_written_into_a_packet_before_the_term_is_durable) {
    LoneVoter voter;
    voter.hear_vote_request(2, 5, 1, 1);
    std::vector<std::byte> packet(1200);
    wire::PacketWriter writer(packet);
    voter.raft().write_records(voter.now, NodeId{2}, writer);
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(voter.process->counters.get(Counter::promises_waited), 1U);
    voter.sync();
    voter.raft().write_records(voter.now, NodeId{2}, writer);
    EXPECT_FALSE(writer.empty());
}

TEST(Persistence, a_candidate_counts_its_own_vote_only_when_it_is_durable) {
    LoneVoter voter(1);
    EXPECT_EQ(voter.raft().role(), Role::candidate);  // alone: no need to wait for a timeout, but for the disk
    voter.sync();
    EXPECT_EQ(voter.raft().role(), Role::leader);
}

TEST(Persistence, nothing_of_a_new_term_leaves_before_the_term_is_durable) {
    LoneVoter voter;
    voter.hear_append(2, 7, 5, 5, 0, {});  // does not fit our log; even the refusal speaks of term 7
    EXPECT_THAT(voter.told(2), IsEmpty());
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::AppendReply>(2, RecordType::append_reply).term(), 7U);
}

TEST(Persistence, a_follower_acknowledges_only_entries_that_are_durable) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {});
    voter.sync();
    (void)voter.told(2);
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "a"}, {2, 11, "b"}}, 0, 2);
    auto reply = voter.last_told<wire::AppendReply>(2, RecordType::append_reply);
    EXPECT_EQ(reply.round(), 2U);        // it hears the leader, and says so
    EXPECT_EQ(reply.match_index(), 1U);  // but promises nothing yet
    voter.sync();
    reply = voter.last_told<wire::AppendReply>(2, RecordType::append_reply);
    EXPECT_EQ(reply.match_index(), 3U);
    EXPECT_EQ(reply.flags(), kSuccess);
}

// Others made it committed, so it is applied here before this disk has it; a full ring must not take it for durable.
TEST(Persistence, a_full_ring_lets_go_of_no_entry_that_is_not_durable) {
    LoneVoter voter(3, StorageId{101}, {.log_entries = 8});
    voter.hear_append(2, 2, 1, 1, 1, {});
    voter.sync();
    (void)voter.told(2);
    for (std::uint64_t prev = 1; prev < 20; ++prev) {
        voter.hear_append(2, 2, prev, prev == 1 ? 1 : 2, prev, {{2, 10, "x"}}, 0, prev + 1);
        EXPECT_LE(voter.last_told<wire::AppendReply>(2, RecordType::append_reply).match_index(), 1U);
    }
}

TEST(Persistence, a_follower_acknowledges_only_what_the_leader_of_this_term_has_shown_to_be_equal) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "a"}, {2, 10, "b"}});
    voter.sync();
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 1, 1, 0, {});  // its entries 2 and 3 are others
    voter.sync();
    const auto reply = voter.last_told<wire::AppendReply>(3, RecordType::append_reply);
    EXPECT_EQ(reply.flags(), kSuccess);
    EXPECT_EQ(reply.match_index(), 1U);  // though 3 entries are durable
}

TEST(Persistence, a_leader_counts_itself_only_for_entries_that_are_durable) {
    LoneVoter voter;
    voter.lead();
    voter.hear_match(2, 2);
    ASSERT_EQ(voter.raft().commit(), LogIndex{2});
    ASSERT_TRUE(voter.raft().propose(voter.now, EntryType::command, text_bytes("x")).ok());
    voter.hear_match(2, 3);
    EXPECT_EQ(voter.raft().commit(), LogIndex{2});
    voter.sync();
    EXPECT_EQ(voter.raft().commit(), LogIndex{3});
}

TEST(Persistence, a_late_disk_completion_for_truncated_entries_counts_for_nothing) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {});
    voter.sync();
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "old"}, {2, 10, "old too"}});
    const auto write = voter.process->journal.poll_op();  // on its way to the disk
    ASSERT_TRUE(write.has_value());
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 1, 1, 0, {{3, 20, "new"}, {3, 20, "new too"}});
    voter.process->journal.on_complete(write->id, voter.process->device.perform(*write), 0);
    const auto sync = voter.process->journal.poll_op();
    ASSERT_TRUE(sync && sync->kind == DeviceOp::Kind::sync);
    voter.process->journal.on_complete(sync->id, voter.process->device.perform(*sync), 0);
    ASSERT_GT(voter.process->journal.durable(), JournalSequence{0});
    EXPECT_EQ(voter.raft().log().durable_index(voter.process->journal.durable()), LogIndex{1});
    voter.raft().on_durable(voter.now);
    EXPECT_EQ(voter.last_told<wire::AppendReply>(3, RecordType::append_reply).match_index(), 0U);  // not before term 3 is stored
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::AppendReply>(3, RecordType::append_reply).match_index(), 3U);
}

TEST(Persistence, entries_survive_a_crash_as_they_were_acknowledged) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 0, {{2, 10, "a"}, {2, 10, "b"}, {2, 10, "c"}});
    voter.sync();
    voter.advance(milliseconds{400});
    voter.hear_append(3, 3, 2, 2, 1, {{3, 12, "B"}});
    voter.sync();
    voter.hear_append(3, 3, 3, 3, 3, {{3, 13, "not synced"}});
    voter.crash_and_restart();
    EXPECT_EQ(voter.raft().last_index(), LogIndex{3});  // "b" and "c" were replaced
    EXPECT_EQ(voter.raft().log().last_term(), Term{3});
    EXPECT_EQ(voter.raft().term(), Term{3});
}

TEST(Persistence, a_crash_forgets_of_what_was_committed_only_what_came_with_the_last_entry) {
    LoneVoter voter;
    voter.hear_append(2, 2, 1, 1, 4, {{2, 10, "a"}, {2, 10, "b"}, {2, 10, "c"}});
    voter.sync();
    voter.crash_and_restart();
    EXPECT_EQ(voter.raft().commit(), LogIndex{3});
}

// After a checkpoint the byte ring begins behind the image, so it wraps elsewhere than in the life that wrote the records.
TEST(Persistence, what_the_ring_held_fits_it_again_after_every_checkpoint) {
    constexpr std::size_t kRing = 512;
    constexpr std::uint64_t kUncommitted = 8;  // entries; together they may fill the ring to its last byte
    std::uint32_t checkpoints = 0;
    for (const std::uint64_t batch : {1U, 4U, 8U}) {
        LoneVoter voter(3, StorageId{101}, {.log_bytes = kRing});
        Random random(batch);
        std::deque<std::size_t> lengths(kUncommitted - 1);
        for (std::uint64_t last = 1; last < 2000; last += batch) {
            std::vector<EntrySpec> entries;
            while (entries.size() < batch) {
                const std::size_t before = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
                const std::size_t most = std::min(kRing - before, kRing - 28 - before + lengths.front());
                entries.push_back({2, last, std::string(std::min(static_cast<std::size_t>(28 + random.below(65)), most), 'x')});
                lengths.pop_front();
                lengths.push_back(entries.back().text.size());
            }
            const std::uint64_t end = last + batch;
            const std::uint64_t commit = end + batch > kUncommitted ? end + batch - kUncommitted : 0;
            voter.hear_append(2, 2, last, last == 1 ? 1 : 2, commit, entries);
            ASSERT_EQ(voter.raft().last_index().value(), end);
            voter.sync();
            if (random.below(3) != 0) continue;
            checkpoints += voter.process->counters.get(Counter::journal_compactions);
            voter.crash_and_restart();
            ASSERT_EQ(voter.raft().last_index().value(), end);
            voter.hear_append(2, 2, end, 2, commit, {});  // the records may say less
        }
    }
    EXPECT_GT(checkpoints, 5U);
}

TEST(Persistence, an_image_is_acknowledged_only_when_its_checkpoint_is_durable) {
    LoneVoter voter;
    Machine machine;
    machine.point = {LogIndex{50}, Term{2}, ClusterTime{500}};
    const std::vector<std::byte> image = machine.image();
    for (std::uint32_t offset = 0; offset < image.size(); offset += 1000) {
        const wire::SnapshotChunk chunk(2, 50, 2, 500, 1 + offset, static_cast<std::uint32_t>(image.size()), offset, crc32c(image), 0);
        voter.hear(2, RecordType::snapshot_chunk, chunk, std::span(image).subspan(offset, 1000));
    }
    ASSERT_EQ(voter.raft().applied(), LogIndex{50});
    EXPECT_EQ(voter.process->machine.hash, machine.hash);
    EXPECT_EQ(voter.raft().log().durable_index(voter.process->journal.durable()), LogIndex{0});
    voter.hear_append(2, 2, 50, 2, 50, {{2, 600, "x"}}, 0, 9000);
    EXPECT_EQ(voter.raft().last_index(), LogIndex{50});  // and nothing is appended until then
    EXPECT_THAT(voter.told(2), IsEmpty());
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::AppendReply>(2, RecordType::append_reply).match_index(), 50U);
    voter.crash_and_restart();
    EXPECT_EQ(voter.raft().applied(), LogIndex{50});
    EXPECT_EQ(voter.raft().cluster_time(voter.now), ClusterTime{500});
}

TEST(Persistence, nothing_is_appended_or_acknowledged_while_an_image_waits_to_be_installed) {
    LoneVoter voter;
    voter.stalled = true;
    Machine machine;
    machine.point = {LogIndex{50}, Term{2}, ClusterTime{500}};
    const std::vector<std::byte> image = machine.image();
    for (std::uint32_t offset = 0; offset < image.size(); offset += 1000) {
        const wire::SnapshotChunk chunk(2, 50, 2, 500, 1 + offset, static_cast<std::uint32_t>(image.size()), offset, crc32c(image), 0);
        voter.hear(2, RecordType::snapshot_chunk, chunk, std::span(image).subspan(offset, 1000));
    }
    ASSERT_TRUE(voter.raft().received_image().has_value());
    voter.hear_append(2, 2, 1, 1, 60, {{2, 10, "x"}}, 0, 9000);
    EXPECT_EQ(voter.raft().last_index(), LogIndex{1});
    EXPECT_EQ(voter.raft().commit(), LogIndex{0});
    voter.advance(seconds{3});  // nor does it campaign
    EXPECT_EQ(voter.raft().role(), Role::follower);
}

TEST(Persistence, a_damaged_image_is_not_installed) {
    LoneVoter voter;
    Machine machine;
    machine.point = {LogIndex{50}, Term{2}, ClusterTime{500}};
    std::vector<std::byte> image = machine.image();
    const std::uint32_t checksum = crc32c(image);
    image[2000] ^= std::byte{1};
    for (std::uint32_t offset = 0; offset < image.size(); offset += 1000) {
        const wire::SnapshotChunk chunk(2, 50, 2, 500, 1 + offset, static_cast<std::uint32_t>(image.size()), offset, checksum, 0);
        voter.hear(2, RecordType::snapshot_chunk, chunk, std::span(image).subspan(offset, 1000));
    }
    EXPECT_EQ(voter.raft().applied(), LogIndex{0});
    voter.sync();
    EXPECT_EQ(voter.last_told<wire::SnapshotReply>(2, RecordType::snapshot_reply).next_offset(), 0U);  // from the start again
}

}  // namespace
}  // namespace dunlin::consensus::test
